/** CPUID and the time-stamp counter (SDM volume 2 under these names; volume 3, 17.17). */

import { CR4, isProtected } from './mode.ts';
import type { OperationTable } from './operation.ts';
import { GP, type Processor } from './processor.ts';

const OSXSAVE = 1 << 27;
const APIC = 1 << 9;
const APIC_ENABLED = 1 << 11;

/** Bytes of the XSAVE area for what XCR0 has: the legacy part and the header, and behind them the upper halves of vectors. */
const saveAreaSize = (xcr0: number): number => (xcr0 & 4 ? 832 : 576);

/** What CPUID gives, with the bits that follow from the processor's state. */
function identify(processor: Processor): readonly [number, number, number, number] {
  const { registers, outside } = processor;
  const leaf = Number(registers.wide('rax') & 0xffffffffn);
  const subleaf = Number(registers.wide('rcx') & 0xffffffffn);
  const [a, b, c, d] = outside.cpuid(leaf, subleaf);
  if (leaf === 1) {
    const saves = (registers.number('cr4') & CR4.OSXSAVE) !== 0;
    const enabled = (registers.number('apicBase') & APIC_ENABLED) !== 0;
    return [a, b, saves ? c | OSXSAVE : c & ~OSXSAVE, enabled ? d : d & ~APIC];
  }
  if (leaf === 0xd && subleaf === 0 && c !== 0) return [a, saveAreaSize(registers.number('xcr0')), c, d];
  return [a, b, c, d];
}

function readCounter(processor: Processor): void {
  const { registers, outside } = processor;
  if ((registers.number('cr4') & CR4.TSD) !== 0 && processor.level > 0 && isProtected(processor)) processor.fault(GP, 0);
  const counter = BigInt.asUintN(64, outside.timestamp());
  registers.setWide('rax', counter & 0xffffffffn);
  registers.setWide('rdx', counter >> 32n);
}

export const identityOperations: OperationTable = {
  cpuid(processor) {
    const values = identify(processor);
    const { registers } = processor;
    (['rax', 'rbx', 'rcx', 'rdx'] as const).forEach((name, at) => registers.setWide(name, BigInt((values[at] as number) >>> 0)));
  },
  readTimestamp: readCounter,
  readTimestampAndProcessor(processor) {
    readCounter(processor);
    processor.registers.setWide('rcx', processor.registers.wide('tscAux') & 0xffffffffn);
  },
  /** There are no performance counters. */
  readPerformance: (processor) => processor.fault(GP, 0),
  /** General register. */
  readProcessor: (processor, a) => processor.registers.setGeneral(Number(a), processor.registers.wide('tscAux') & 0xffffffffn),
};
