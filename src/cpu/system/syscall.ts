/** SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS and the bases of FS and GS (SDM volume 2 under these names). */

import { RFLAGS } from '../builder.ts';
import type { SegmentState } from '../registers.ts';
import { CR4, demandPrivilege, isCanonical, isLongMode, isProtected } from './mode.ts';
import type { OperationTable } from './operation.ts';
import { GP, UD, type Processor } from './processor.ts';
import { enterCode } from './code-segment.ts';

const EFER_SCE = 1;

/** A segment of the whole address space, as these instructions make it without looking at a table. */
const flat = (selector: number, attributes: number): SegmentState => ({ selector, base: 0n, limit: 0xffffffff, attributes });
const code64 = (selector: number, level: number): SegmentState => flat(selector, 0xa09b | (level << 5));
const code32 = (selector: number, level: number): SegmentState => flat(selector, 0xc09b | (level << 5));
const data = (selector: number, level: number): SegmentState => flat(selector, 0xc093 | (level << 5));

function syscall(processor: Processor): void {
  const { registers } = processor;
  if ((registers.number('efer') & EFER_SCE) === 0 || !processor.long) processor.fault(UD);
  const flags = processor.flags();
  registers.setWide('rcx', registers.wide('rip'));
  registers.setWide('r11', BigInt(flags & ~RFLAGS.RF));
  const selector = Number((registers.wide('star') >> 32n) & 0xfffcn);
  const masked = registers.number('sfmask');
  processor.setFlags((flags & ~masked & ~RFLAGS.RF) | 2);
  if (masked & RFLAGS.TF) processor.trapPending = false;
  registers.setSegment('ss', data(selector + 8, 0));
  enterCode(processor, code64(selector, 0), registers.wide('lstar'));
}

function sysret(processor: Processor, wide: boolean): void {
  const { registers } = processor;
  if ((registers.number('efer') & EFER_SCE) === 0 || !processor.long) processor.fault(UD);
  demandPrivilege(processor);
  const rip = registers.wide('rcx');
  if (wide && !isCanonical(rip)) processor.fault(GP, 0);
  const selector = Number((registers.wide('star') >> 48n) & 0xffffn);
  const image = Number(registers.wide('r11') & 0xffffffffn);
  processor.setFlags((image & 0x3c7fd7) | 2);
  registers.setSegment('ss', data(((selector + 8) & 0xffff) | 3, 3));
  enterCode(processor, wide ? code64((selector + 16) | 3, 3) : code32(selector | 3, 3), wide ? rip : rip & 0xffffffffn);
}

function sysenter(processor: Processor): void {
  const { registers } = processor;
  const selector = registers.number('sysenterCs') & 0xfffc;
  if (!isProtected(processor) || selector === 0) processor.fault(GP, 0);
  const long = isLongMode(processor);
  processor.setFlags(processor.flags() & ~(RFLAGS.VM | RFLAGS.IF | RFLAGS.RF));
  registers.setSegment('ss', data(selector + 8, 0));
  const pointer = registers.wide('sysenterEsp');
  const rip = registers.wide('sysenterEip');
  registers.setWide('rsp', long ? pointer : pointer & 0xffffffffn);
  enterCode(processor, long ? code64(selector, 0) : code32(selector, 0), long ? rip : rip & 0xffffffffn);
}

function sysexit(processor: Processor, wide: boolean): void {
  const { registers } = processor;
  const base = registers.number('sysenterCs') & 0xfffc;
  if (!isProtected(processor) || base === 0) processor.fault(GP, 0);
  demandPrivilege(processor);
  const [rip, pointer] = [registers.wide('rdx'), registers.wide('rcx')];
  if (wide && !(isCanonical(rip) && isCanonical(pointer))) processor.fault(GP, 0);
  const selector = base + (wide ? 32 : 16);
  registers.setSegment('ss', data((selector + 8) | 3, 3));
  registers.setWide('rsp', wide ? pointer : pointer & 0xffffffffn);
  enterCode(processor, wide ? code64(selector | 3, 3) : code32(selector | 3, 3), wide ? rip : rip & 0xffffffffn);
}

function demandBases(processor: Processor): void {
  if (!processor.long || (processor.registers.number('cr4') & CR4.FSGSBASE) === 0) processor.fault(UD);
}

const writeBase = (name: 'fsBase' | 'gsBase'): OperationTable[string] => (processor, a) => {
  demandBases(processor);
  if (!isCanonical(a)) processor.fault(GP, 0);
  processor.registers.setWide(name, a);
};

/** General register, operand size. */
const readBase = (name: 'fsBase' | 'gsBase'): OperationTable[string] => (processor, a, b) => {
  demandBases(processor);
  processor.registers.setGeneral(Number(a), BigInt.asUintN(Number(b), processor.registers.wide(name)));
};

export const syscallOperations: OperationTable = {
  syscall,
  /** Operand size. */
  sysret: (processor, a) => sysret(processor, a === 64n),
  sysenter,
  sysexit: (processor, a) => sysexit(processor, a === 64n),
  swapGs(processor) {
    demandPrivilege(processor);
    const { registers } = processor;
    const base = registers.wide('gsBase');
    registers.setWide('gsBase', registers.wide('kernelGsBase'));
    registers.setWide('kernelGsBase', base);
  },
  readFsBase: readBase('fsBase'), readGsBase: readBase('gsBase'), writeFsBase: writeBase('fsBase'), writeGsBase: writeBase('gsBase'),
};
