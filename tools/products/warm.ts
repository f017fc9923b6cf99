import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../run.ts';

/**
 * Runs the programs of a build folder, so that V8's cache (src/cli/starter.ts) holds the functions that a container takes. Where
 * nothing may be made, or a program is not there, less is kept, and containers start more slowly by that.
 */
export async function warmCaches(build: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'delos-warm-'));
  const cache = join(build, 'cache');
  rmSync(cache, { recursive: true, force: true });
  try {
    mkdirSync(join(folder, 'rootfs'));
    writeFileSync(join(folder, 'halt.bin'), haltingGuest);
    for (const [program, ...words] of commands(folder)) await runIfThere(build, program, words);
    // A container as it is run later, with a bridge that is nobody else's; where that may not be, it is undone again.
    await runIfThere(build, 'delos', ['--root', join(folder, 'data'), '--runroot', join(folder, 'run'), 'run', '--rm', '--network', 'bridge', 'host', 'true'], elsewhere);
    readable(cache);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each adds what it runs to what those before it have left. */
const commands = (folder: string): [program: string, ...words: string[]][] => [
  ['delos-oci', 'spec', '--bundle', folder],
  ['delos-oci', '--explain=json', 'run', '--bundle', folder, 'warm'],
  ['delos', 'explain', 'run', 'host', 'true'],
  ['delos-cni', 'version'],
  ...['interpreter', 'kvm'].map((engine): [string, ...string[]] => ['delos', 'vm', 'run', '--flat', join(folder, 'halt.bin'), '--engine', engine]),
];

/** Clears the interrupt flag and halts: cli; hlt. */
const haltingGuest = Uint8Array.of(0xfa, 0xf4);

const elsewhere = ['unshare', '--user', '--map-root-user', '--net', '--mount'];

async function runIfThere(build: string, name: string, words: readonly string[], within: readonly string[] = []): Promise<void> {
  const path = join(build, `${name}.cjs`);
  if (existsSync(path)) await run('env', ['DELOS_KEEP_COMPILED=1', ...within, join(build, 'node'), path, ...words]);
}

/** Written for its user alone where umask says so; others may run this build too. */
function readable(folder: string): void {
  if (!existsSync(folder)) return;
  chmodSync(folder, 0o755);
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o644);
}
