import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../run.ts';

/**
 * Runs the programs of a build folder as far as they go without starting anything, so that V8's cache (src/cli/starter.ts) holds the
 * functions that a container takes. A program that is not there or fails leaves no cache, and is slower by that.
 */
export async function warmCaches(build: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'delos-warm-'));
  const cache = join(build, 'cache');
  rmSync(cache, { recursive: true, force: true });
  try {
    mkdirSync(join(folder, 'rootfs'));
    for (const [program, ...words] of commands(folder)) {
      const path = join(build, `${program}.cjs`);
      if (existsSync(path)) await run(join(build, 'node'), [path, ...words], { ...process.env, DELOS_KEEP_COMPILED: '1' });
    }
    readable(cache);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each adds what it runs to what those before it have left. */
function commands(folder: string): string[][] {
  const places = ['--root', join(folder, 'data'), '--runroot', join(folder, 'run')];
  return [
    ['delos-oci', 'spec', '--bundle', folder],
    ['delos-oci', '--explain=json', 'run', '--bundle', folder, 'warm'],
    ['delos', ...places, 'explain', 'run', 'host', 'true'],
    ['delos', ...places, 'create', '--name', 'warm', 'host', 'true'],
    ['delos', ...places, 'rm', 'warm'],
    ['delos-cni', 'version'],
  ];
}

/** Written for its user alone where umask says so; others may run this build too. */
function readable(folder: string): void {
  if (!existsSync(folder)) return;
  chmodSync(folder, 0o755);
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o644);
}
