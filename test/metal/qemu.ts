import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Run } from './machine.ts';

const program = 'qemu-system-x86_64';

/** For a test's `skip`: why QEMU can't be compared with, or false. */
export const noQemu = spawnSync(program, ['--version']).status === 0 ? false : `there is no ${program}`;

/** What the debug exit port makes of 0. */
const debugExit = 1;

/** On QEMU's translator, an implementation by others. `max` is all that it can. */
export function runOnQemu(kernel: Uint8Array, topics: string): Run {
  const folder = mkdtempSync(join(tmpdir(), 'delos-metal-'));
  try {
    const [image, log] = [join(folder, 'kernel'), join(folder, 'log')];
    writeFileSync(image, kernel);
    const { status } = spawnSync(program, [
      '-accel', 'tcg', '-cpu', 'max,vendor=GenuineIntel', '-m', '64', '-display', 'none', '-nodefaults', '-no-reboot', '-serial', `file:${log}`,
      '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-kernel', image, '-append', topics,
    ], { stdio: 'ignore', timeout: 60_000 });
    const end = status === debugExit ? 'debug-exit' : status === 0 ? 'shutdown' : `status ${status}`;
    return { log: readFileSync(log, 'latin1'), end };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
