import type { LocalApics, MsrValue } from '../device/apics.ts';
import type { TimeStampCounter } from '../device/apic-timer.ts';
import type { LocalDevices } from '../engine/engine.ts';

/** The local APICs and the time-stamp counter as the processors' registers reach them. */
export function localDevices({ apics, tsc }: { readonly apics: LocalApics; readonly tsc: TimeStampCounter }): LocalDevices {
  const halves: MsrValue = { low: 0, high: 0 };
  return {
    timestamp: () => BigInt(Math.floor(tsc.read(0))),
    readMsr: (cpu, number) => (apics.readMsr(cpu, number, halves) ? (BigInt(halves.high >>> 0) << 32n) | BigInt(halves.low >>> 0) : undefined),
    writeMsr: (cpu, number, value) => apics.writeMsr(cpu, number, Number(value & 0xffffffffn), Number(value >> 32n)),
    taskPriority: (cpu) => apics.apics[cpu]?.taskPriority ?? 0,
    setTaskPriority(cpu, priority) {
      const apic = apics.apics[cpu];
      if (apic !== undefined) apic.taskPriority = priority;
    },
  };
}
