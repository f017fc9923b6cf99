/** Debian's own kernel on the processor that is written here. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { initramfs } from '../../src/boot/initramfs.ts';
import { softwareCpuid } from '../../src/cpu/cpuid.ts';
import { APIC_TIMER_HERTZ } from '../../src/device/apic-timer.ts';
import { createInterpreter } from '../../src/engine/interpreter.ts';
import { Machine } from '../../src/machine/machine.ts';
import { guestKernel } from '../../tools/vm/kernel.ts';
import { floatBytes } from '../support/float-module.ts';

const busybox = '/bin/busybox';
const cpuid = softwareCpuid({ cpus: 1, apicId: 0, timestampHz: 1e9, timerHz: APIC_TIMER_HERTZ, hypervisor: true });

const init = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
echo "@READY $(/bin/busybox uname -m)"
exec /bin/busybox setsid /bin/busybox cttyhack /bin/busybox sh
`;

function userland(): Uint8Array {
  return initramfs([
    ...['bin', 'dev', 'proc'].map((path) => ({ kind: 'folder', path }) as const),
    { kind: 'device', path: 'dev/console', type: 'character', major: 5, minor: 1 },
    { kind: 'file', path: 'bin/busybox', mode: 0o755, data: new Uint8Array(readFileSync(busybox)) },
    { kind: 'file', path: 'init', mode: 0o755, data: new TextEncoder().encode(init) },
  ]);
}

/** What the guest says, and somebody who waits for a part of it. */
class Console {
  text = '';
  #awaited: { readonly words: string; readonly heard: () => void } | undefined;

  take(byte: number): void {
    this.text += String.fromCharCode(byte);
    if (this.#awaited === undefined || !this.text.includes(this.#awaited.words)) return;
    this.#awaited.heard();
    this.#awaited = undefined;
  }

  async until(words: string): Promise<void> {
    await new Promise<void>((heard) => {
      this.#awaited = { words, heard };
    });
  }
}

test('it boots to a shell, which hears what is typed, and powers off', { skip: !existsSync(busybox) && `there is no static busybox at ${busybox}` }, async () => {
  const kernel = new Uint8Array(readFileSync(guestKernel().vmlinux));
  const serial = new Console();
  const start = { kind: 'kernel', kernel, initrd: userland(), commandLine: 'console=ttyS0 quiet panic=-1' } as const;
  using machine = new Machine({ start, memory: 256 * 2 ** 20, engine: createInterpreter(floatBytes), cpuid, serial: [(byte) => serial.take(byte)] });
  const end = machine.run(AbortSignal.timeout(600_000));
  const conversation = (async () => {
    await serial.until('@READY x86_64');
    machine.send(new TextEncoder().encode('echo "typed-$((6 * 7))"; cat /proc/interrupts\n'));
    await serial.until('typed-42');
    machine.send(new TextEncoder().encode('poweroff -f\n'));
  })();
  assert.deepEqual(await Promise.race([end, conversation.then(async () => end)]), { kind: 'power-off' }, serial.text.slice(-4000));
});
