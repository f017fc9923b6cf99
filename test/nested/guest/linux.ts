// Runs in a guest that has KVM: Debian's kernel in a guest of ours.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { initramfs } from '../../../src/boot/initramfs.ts';
import { probeKvm } from '../../../src/engine/probe.ts';
import { guestKernel } from '../../../tools/vm/kernel.ts';

const init = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
echo "@READY $(/bin/busybox uname -m)"
exec /bin/busybox setsid /bin/busybox cttyhack /bin/busybox sh
`;
const initrd = '/tmp/initrd.cpio';
const { vmlinux } = guestKernel();
const boot = join(vmlinux, '../boot');
const vmlinuz = join(boot, readdirSync(boot).find((name) => name.startsWith('vmlinuz-')) ?? '');

writeFileSync(initrd, initramfs([
  ...['bin', 'dev', 'proc'].map((path) => ({ kind: 'folder', path }) as const),
  { kind: 'device', path: 'dev/console', type: 'character', major: 5, minor: 1 },
  { kind: 'file', path: 'bin/busybox', mode: 0o755, data: readFileSync('/bin/busybox') },
  { kind: 'file', path: 'init', mode: 0o755, data: new TextEncoder().encode(init) },
]));

function usesKvm(pid: number): boolean {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).some((fd) => readlinkSync(join(folder, fd)) === 'anon_inode:kvm-vm');
}

/** Boots to a shell, types into it, powers off. */
async function bootsToShell(kernel: string, options: readonly string[]): Promise<void> {
  const args = ['build/delos.cjs', 'vm', 'run', ...options, '--kernel', kernel, '--initrd', initrd, '--append', 'console=ttyS0 quiet panic=-1', '--no-reboot'];
  const machine = spawn('build/node', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(machine, 'close');
  let said = '';
  const typed: (readonly [awaited: string, keys: string])[] = [
    ['@READY x86_64', 'echo "typed-$((6 * 7))"; cat /proc/interrupts\n'], ['typed-42', 'poweroff -f\n'],
  ];
  machine.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString('latin1');
    const [next] = typed;
    if (next === undefined || !said.includes(next[0])) return;
    assert.ok(usesKvm(machine.pid ?? 0), 'it is not KVM that runs it');
    machine.stdin.write(next[1]);
    typed.shift();
  });
  assert.deepEqual(await ended, [0, null], said.slice(-2000));
  assert.match(said, /LOC: +[1-9]/, 'the local APIC\'s timer interrupts');
}

test('KVM is found to be of use', () => {
  const { useful, sentence } = probeKvm();
  assert.ok(useful, sentence);
  assert.match(sentence, /^KVM runs a guest's kernel on the processor/);
});

test('vmlinux, KVM\'s interrupt controllers', async () => bootsToShell(vmlinux, ['--engine', 'kvm', '--irqchip', 'kernel']));

test('vmlinuz with the machine\'s own interrupt controllers, and the engine is chosen', async () => bootsToShell(vmlinuz, ['--engine', 'auto']));
