/** Linux, from the start of the process that is its machine to the first words of its first program. */
import fs from 'node:fs';
import path from 'node:path';
import { initramfs } from '../../src/boot/initramfs.ts';
import { packageKernel } from '../../tools/vm/package-kernel.ts';
import { find } from '../containers/runtimes.ts';
import { progress } from '../containers/stage.ts';
import { delosCommand } from '../network/engines.ts';
import { bochsLinux } from './bochs-linux.ts';
import type { GuestImages } from './guest.ts';
import { findBochs, qemuProgram, type Absent } from './machines.ts';
import { listen, type Command, type Failed } from './spawned.ts';

export interface BootRow {
  readonly name: string;
  readonly seconds: readonly number[];
  /** Of issue 4. */
  readonly atMost?: number;
}

interface Booter {
  readonly name: string;
  /** Takes more than a minute. */
  readonly slow?: true;
  readonly atMost?: number;
  readonly command: Command;
}

const memoryMb = 256;
const busybox = '/bin/busybox';
const ready = '@READY';
const limitMs = 600_000;
const commandLine = 'console=ttyS0 quiet reboot=t panic=-1';

/** To the console, and to the port that Bochs prints at once: its serial port's file is written late. */
const init = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
echo "${ready}"
for byte in ${[...ready].map((letter) => `\\\\${letter.charCodeAt(0).toString(8)}`).join(' ')}; do /bin/busybox printf $byte | /bin/busybox dd of=/dev/port bs=1 seek=${0xe9} 2>/dev/null; done
exec /bin/busybox sleep 1000
`;

function userland(): Uint8Array {
  return initramfs([
    ...['bin', 'dev', 'proc'].map((name) => ({ kind: 'folder', path: name }) as const),
    { kind: 'device', path: 'dev/console', type: 'character', major: 5, minor: 1 },
    { kind: 'file', path: 'bin/busybox', mode: 0o755, data: fs.readFileSync(busybox) },
    { kind: 'file', path: 'init', mode: 0o755, data: new TextEncoder().encode(init) },
  ]);
}

/** @param folder for files */
function booters(folder: string, images: GuestImages): readonly (Booter | Absent)[] {
  const initrd = path.join(folder, 'initrd');
  fs.writeFileSync(initrd, userland());
  const kernel = packageKernel({ name: 'linux-image-cloud-amd64' });
  const files = ['--kernel', kernel, '--initrd', initrd, '--append', commandLine];
  const qemu = find(qemuProgram);
  const bochs = findBochs();
  return [
    { name: 'Delos, interpreter', atMost: 40, command: { argv: [...delosCommand, 'vm', 'run', '--engine', 'interpreter', '--memory', `${memoryMb * 2 ** 20}`, ...files] } },
    ...(qemu === undefined ? [] : [{ name: 'QEMU TCG', command: { argv: qemuArgv(qemu, kernel, initrd) } }]),
    typeof bochs === 'string' ? { name: 'Bochs', slow: true, command: bochsLinux(bochs, images, { kernel: fs.readFileSync(kernel), initrd: fs.readFileSync(initrd), commandLine }, memoryMb) } : bochs,
  ];
}

function qemuArgv(program: string, kernel: string, initrd: string): string[] {
  return [
    program, '-accel', 'tcg', '-m', `${memoryMb}`, '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-serial', 'stdio',
    '-kernel', kernel, '-initrd', initrd, '-append', commandLine,
  ];
}

/** @param rounds of those that are quick; the slow ones go once, or not at all when `quick`. @param failed told of those that did not get there */
export async function measureBoots(folder: string, images: GuestImages, rounds: number, quick: boolean, failed: Failed): Promise<BootRow[]> {
  const present = booters(folder, images).filter((one): one is Booter => 'command' in one && !(quick && one.slow));
  const rows = present.map(({ name, atMost }) => ({ name, seconds: [] as number[], ...(atMost !== undefined && { atMost }) }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, { name, slow, command }] of present.entries()) {
      if (slow && round > 0) continue;
      progress(`Linux: ${name}`);
      await boot(command).then((seconds) => rows[index]?.seconds.push(seconds), failed);
    }
  }
  return rows.filter(({ seconds }) => seconds.length > 0);
}

async function boot(command: Command): Promise<number> {
  let heard = '';
  const started = performance.now();
  await listen(command, (bytes) => {
    heard = (heard + bytes.toString('latin1')).slice(-1000);
    return heard.includes(ready);
  }, limitMs);
  return (performance.now() - started) / 1000;
}
