import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../files.ts';
import { run } from '../run.ts';

const build = join(root, 'build');

/**
 * Runs the programs as far as they go without making anything, so that V8's cache holds the functions that starting a container
 * needs. A program that is not there or fails leaves no cache, and is slower by that.
 */
export async function warmCaches(): Promise<void> {
  const bundle = mkdtempSync(join(tmpdir(), 'delos-warm-'));
  const cache = join(build, 'cache');
  rmSync(cache, { recursive: true, force: true });
  try {
    mkdirSync(join(bundle, 'rootfs'));
    const node = join(build, 'node');
    const oci = join(build, 'delos-oci.cjs');
    const everyday = join(build, 'delos.cjs');
    if (existsSync(oci)) {
      await run(node, [oci, 'spec', '--bundle', bundle]);
      await run(node, [oci, '--explain=json', 'run', '--bundle', bundle, 'warm']);
    }
    if (existsSync(everyday)) await run(node, [everyday, 'explain', 'run', 'host', 'true']);
    readable(cache);
  } finally {
    rmSync(bundle, { recursive: true, force: true });
  }
}

/** Node writes the cache for its user alone; others may run this build too. */
function readable(folder: string): void {
  if (!existsSync(folder)) return;
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
}
