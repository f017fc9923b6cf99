import fs from 'node:fs';
import { softwareCpuid } from '../../src/cpu/cpuid.ts';
import { APIC_TIMER_HERTZ } from '../../src/device/apic-timer.ts';
import { createInterpreter } from '../../src/engine/interpreter.ts';
import { Machine } from '../../src/machine/machine.ts';
import { root } from '../../tools/files.ts';
import { guestMemory } from './machines.ts';

/** A machine with a multiboot image on the interpreter, which translates nothing: every instruction is counted by itself. */
export function guestOnInterpreter(image: string, hear: (byte: number) => void): Machine {
  return new Machine({
    start: { kind: 'kernel', kernel: fs.readFileSync(image) }, memory: guestMemory, serial: [hear],
    engine: createInterpreter(fs.readFileSync(`${root}/build/float.wasm`), { regions: false }),
    cpuid: softwareCpuid({ cpus: 1, apicId: 0, timestampHz: 1e9, timerHz: APIC_TIMER_HERTZ, hypervisor: true }),
  });
}
