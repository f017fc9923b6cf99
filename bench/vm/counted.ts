import fs from 'node:fs';
import { softwareCpuid } from '../../src/cpu/cpuid.ts';
import { APIC_TIMER_HERTZ } from '../../src/device/apic-timer.ts';
import { createInterpreter } from '../../src/engine/interpreter.ts';
import { Machine } from '../../src/machine/machine.ts';
import { root } from '../../tools/files.ts';
import { workloads, type Bits, type GuestImages } from './guest.ts';
import { Markers } from './markers.ts';
import { guestMemory } from './machines.ts';

/** How many instructions each workload has at scale 1: counted by the interpreter, which counts exactly. A repeated string instruction is one. */
export async function countInstructions(images: GuestImages, bits: Bits): Promise<number[]> {
  const stop = new AbortController();
  const markers = new Markers(() => machine.cpu.instructions ?? NaN);
  const hear = (byte: number): void => {
    markers.take([byte]);
    if (markers.ended) stop.abort();
  };
  using machine = new Machine({
    start: { kind: 'kernel', kernel: fs.readFileSync(images.multiboot(bits, 1, 1)) }, memory: guestMemory,
    engine: createInterpreter(fs.readFileSync(`${root}/build/float.wasm`)), serial: [hear],
    cpuid: softwareCpuid({ cpus: 1, apicId: 0, timestampHz: 1e9, timerHz: APIC_TIMER_HERTZ, hypervisor: true }),
  });
  const { kind } = await machine.run(stop.signal);
  if (kind !== 'stopped') throw new Error(`the bench's guest has ended with ${kind}`);
  return workloads.map((workload) => markers.of(workload)[0] ?? NaN);
}
