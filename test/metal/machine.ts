import { softwareCpuid } from '../../src/cpu/cpuid.ts';
import { APIC_TIMER_HERTZ } from '../../src/device/apic-timer.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { Machine } from '../../src/machine/machine.ts';

/** Bytes of RAM of a guest's machine. */
export const memory = 64 << 20;

/** What a guest wrote to its serial port, and how its machine has come to its end. */
export interface Run {
  readonly log: string;
  readonly end: string;
}

/** On one of our engines, until it ends or the time is over. @param topics words of the command line, or `all` */
export async function runOn(engine: Engine, kernel: Uint8Array, topics: string, patienceMs = 120_000): Promise<Run> {
  let log = '';
  const cpuid = softwareCpuid({ cpus: 1, apicId: 0, timestampHz: 1e9, timerHz: APIC_TIMER_HERTZ, hypervisor: true });
  using machine = new Machine({
    start: { kind: 'kernel', kernel, commandLine: topics }, memory, engine, cpuid, serial: [(byte) => { log += String.fromCodePoint(byte); }],
  });
  const end = await machine.run(AbortSignal.timeout(patienceMs));
  return { log, end: end.kind === 'error' ? `error: ${end.message}` : end.kind };
}
