/** Linux on the processor that is written here, with busybox for its userland. */

import { existsSync, readFileSync } from 'node:fs';
import { initramfs } from '../../src/boot/initramfs.ts';
import { softwareCpuid } from '../../src/cpu/cpuid.ts';
import { APIC_TIMER_HERTZ } from '../../src/device/apic-timer.ts';
import { createInterpreter } from '../../src/engine/interpreter.ts';
import { Machine, type MachineEnd } from '../../src/machine/machine.ts';
import { floatBytes } from './float-module.ts';

const busybox = '/bin/busybox';
const cpuid = softwareCpuid({ cpus: 1, apicId: 0, timestampHz: 1e9, timerHz: APIC_TIMER_HERTZ, hypervisor: true });

/** For a test's `skip`: why there is no userland for a guest, or false. */
export const noBusybox = !existsSync(busybox) && `there is no static busybox at ${busybox}`;

const init = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
echo "@READY $(/bin/busybox uname -m)"
exec /bin/busybox setsid /bin/busybox cttyhack /bin/busybox sh
`;

/** An initramfs with a shell on the console. */
export function userland(): Uint8Array {
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

/** Has a conversation go on with another machine: one that is made of what the first, which has stopped, has become. */
export type HandOver = (machine: Machine, serial: (byte: number) => void) => Machine;

/** Boots to the shell, has it calculate, and powers off by it. @returns how the machine ended, and all that it said */
export async function shellAndPowerOff(kernel: Uint8Array, patienceMs = 600_000, handOver?: HandOver): Promise<{ end: MachineEnd; text: string }> {
  const serial = new Console();
  const take = (byte: number): void => serial.take(byte);
  const start = { kind: 'kernel', kernel, initrd: userland(), commandLine: 'console=ttyS0 quiet panic=-1' } as const;
  using machine = new Machine({ start, memory: 256 * 2 ** 20, engine: createInterpreter(floatBytes), cpuid, serial: [take] });
  const patience = AbortSignal.timeout(patienceMs);
  const enough = new AbortController();
  const end = machine.run(AbortSignal.any([patience, enough.signal]));
  const type = (to: Machine, line: string): void => to.send(new TextEncoder().encode(`${line}\n`));
  const conversation = (async () => {
    await serial.until('@READY x86_64');
    type(machine, 'x=42; echo "typed-$((6 * 7))"; cat /proc/interrupts');
    await serial.until('typed-42');
    if (handOver !== undefined) {
      enough.abort();
      await end;
      using other = handOver(machine, take);
      type(other, 'echo "still-$x"; poweroff -f');
      return await other.run(patience);
    }
    type(machine, 'poweroff -f');
    return await end;
  })();
  const first = await end;
  return { end: enough.signal.aborted ? await conversation : first, text: serial.text };
}
