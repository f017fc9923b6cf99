import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { syscall } from '../../src/sys/syscall.ts';
import { root } from '../../tools/files.ts';

/** The runtime's folder: the front looks for its planner here. On the stage it is a tmpfs of our own, with every runtime's state in it. */
export const stateFolder = '/run/delos';

/** flock(2) */
const LOCK_EX = 2;

const mark = 'DELOS_BENCH_STAGE';

// crun refuses the hybrid layout, so nobody gets to see its unified half.
const script = `
  [ ! -e /sys/fs/cgroup/unified/cgroup.controllers ] || umount /sys/fs/cgroup/unified
  mkdir -p ${stateFolder}
  mount -t tmpfs -o mode=711 tmpfs ${stateFolder}
  exec "$@"
`;

/**
 * Starts this program again on the stage, in its own place, where every runtime runs under the same conditions: a mount namespace that
 * vanishes with the bench, and no second bench at the same time. It comes back on the stage only.
 */
export function enterStage(): void {
  if (process.env[mark] === undefined) {
    if (process.geteuid?.() !== 0) throw new Error('the bench makes cgroups and mounts for all runtimes alike: run it as root');
    const inner = ['--mount', '--propagation', 'private', 'sh', '-euc', script, 'sh', process.execPath, ...process.argv.slice(1)];
    process.execve?.('/usr/bin/unshare', ['unshare', ...inner], { ...process.env, [mark]: '1' });
  }
  delete process.env[mark];
  // Held as long as this process lives.
  syscall('flock', fs.openSync('/tmp/delos-bench.lock', 'w'), LOCK_EX);
}

/** Tells people how far it is; stdout is for the report. */
export function progress(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

/** A copy of build/, so that a build in the middle of the bench changes nothing. It goes when it is disposed of. */
export function copyBuild(bundle: string): Disposable & { readonly path: string } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-bench-'));
  fs.cpSync(path.join(root, 'build'), folder, { recursive: true, filter: (source) => !/\/(types|cache)$|\.map$/.test(source) });
  // Node takes a .js file for a module where a package says so.
  fs.writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  // V8's cache belongs to these very files; the first start makes it.
  execFileSync(path.join(folder, 'node'), [path.join(folder, 'delos-oci.cjs'), '--explain=json', 'run', '--bundle', bundle, 'warm'], { stdio: 'ignore' });
  return { path: folder, [Symbol.dispose]: () => fs.rmSync(folder, { recursive: true, force: true }) };
}
