/** Control and debug registers (SDM volume 3, 2.5, 4.10.4.1, 9.9 and 17.2; volume 2, MOV to and from them). */

import { EFER_LMA, physicalBits } from '../paging.ts';
import { SEGMENT, segmentName, type StateName } from '../registers.ts';
import { SYSTEM } from './descriptors.ts';
import { CR0, CR4, demandPrivilege, isCanonical } from './mode.ts';
import type { OperationTable } from './operation.ts';
import { DB, GP, UD, type Processor } from './processor.ts';

const EFER_LME = 1 << 8;
const knownCr0 = BigInt(CR0.PE | CR0.MP | CR0.EM | CR0.TS | CR0.ET | CR0.NE | CR0.WP | CR0.AM | CR0.NW | CR0.CD) | BigInt(CR0.PG);
const knownCr4 = Object.values(CR4).reduce((sum, bit) => sum | bit, 0);
/** What changes how linear addresses are translated. */
const pagingCr0 = BigInt(CR0.PG) | BigInt(CR0.WP);
const pagingCr4 = CR4.PSE | CR4.PAE | CR4.PGE | CR4.PCIDE | CR4.SMEP | CR4.SMAP;
const noFlush = 1n << 63n;

/** The four page-directory pointers of PAE paging: those that are present have to have their reserved bits clear. */
function checkPointers(processor: Processor, cr3: number): void {
  const table = Math.floor((cr3 % 2 ** 32) / 32) * 32;
  for (let at = 0; at < 4; at++) {
    const low = processor.readPhysical(table + 8 * at);
    const high = processor.readPhysical(table + 8 * at + 4);
    if ((low & 1) !== 0 && ((low & 0x1e6) !== 0 || high >>> (physicalBits - 32) !== 0)) processor.fault(GP, 0);
  }
}

/** #GP for what SDM volume 3, 2.5 forbids of CR0 as such. */
function checkCr0(processor: Processor, value: bigint): void {
  const has = (bit: number): boolean => (value & BigInt(bit)) !== 0n;
  if (value >> 32n !== 0n || (has(CR0.PG) && !has(CR0.PE)) || (has(CR0.NW) && !has(CR0.CD))) processor.fault(GP, 0);
}

export function writeCr0(processor: Processor, given: bigint): void {
  const { registers } = processor;
  checkCr0(processor, given);
  const value = (given & knownCr0) | BigInt(CR0.ET);
  const old = registers.wide('cr0');
  const paged = (value & BigInt(CR0.PG)) !== 0n;
  const cr4 = registers.number('cr4');
  if (paged !== ((old & BigInt(CR0.PG)) !== 0n)) switchPaging(processor, paged, cr4);
  else if (!paged && (cr4 & CR4.PCIDE) !== 0) processor.fault(GP, 0);
  registers.setWide('cr0', value);
  processor.modeChanged();
  if (((value ^ old) & pagingCr0) !== 0n) processor.flushTranslations(true);
}

/** With EFER.LME, paging and long mode begin and end together. */
function switchPaging(processor: Processor, paged: boolean, cr4: number): void {
  const { registers } = processor;
  const efer = registers.number('efer');
  const codeIsLong = (registers.number('csAttributes') & SEGMENT.long) !== 0;
  if (!paged) {
    if ((cr4 & CR4.PCIDE) !== 0 || ((efer & EFER_LMA) !== 0 && codeIsLong)) processor.fault(GP, 0);
    registers.setNumber('efer', efer & ~EFER_LMA);
  } else if (efer & EFER_LME) {
    const narrowTask = (registers.number('trAttributes') & 0xd) === SYSTEM.tss16;
    if ((cr4 & CR4.PAE) === 0 || codeIsLong || narrowTask) processor.fault(GP, 0);
    registers.setNumber('efer', efer | EFER_LMA);
  } else if (cr4 & CR4.PAE) {
    checkPointers(processor, registers.number('cr3'));
  }
}

export function writeCr3(processor: Processor, given: bigint): void {
  const { registers } = processor;
  const long = (registers.number('efer') & EFER_LMA) !== 0;
  const cr4 = registers.number('cr4');
  const tagged = (cr4 & CR4.PCIDE) !== 0;
  const value = tagged ? given & ~noFlush : given;
  if (long && value >> BigInt(physicalBits) !== 0n) processor.fault(GP, 0);
  if (!long && (cr4 & CR4.PAE) !== 0 && registers.number('cr0') >= CR0.PG) checkPointers(processor, Number(value & 0xffffffffn));
  const old = registers.wide('cr3');
  registers.setWide('cr3', value);
  processor.modeChanged();
  // Without tags on translations, one that keeps them still has to forget them when the tables are others.
  if (!(tagged && (given & noFlush) !== 0n && old === value)) processor.flushTranslations(false);
}

function writeCr4(processor: Processor, value: bigint): void {
  const { registers } = processor;
  const bits = Number(value & 0xffffffffn);
  if (value >> 32n !== 0n || (bits & ~knownCr4) !== 0) processor.fault(GP, 0);
  const old = registers.number('cr4');
  const long = (registers.number('efer') & EFER_LMA) !== 0;
  const beginsTags = (bits & ~old & CR4.PCIDE) !== 0;
  if ((long && (bits & CR4.PAE) === 0) || (beginsTags && (!long || (registers.number('cr3') & 0xfff) !== 0))) processor.fault(GP, 0);
  const beginsPae = (bits & ~old & CR4.PAE) !== 0 && registers.number('cr0') >= CR0.PG;
  if (beginsPae && !long) checkPointers(processor, registers.number('cr3'));
  registers.setNumber('cr4', bits);
  processor.modeChanged();
  if ((bits ^ old) & pagingCr4) processor.flushTranslations(true);
}

function writeCr8(processor: Processor, value: bigint): void {
  if (value > 15n) processor.fault(GP, 0);
  processor.registers.setWide('cr8', value);
  processor.outside.taskPriority = Number(value);
}

const debugNames: readonly StateName[] = ['dr0', 'dr1', 'dr2', 'dr3', 'dr6', 'dr7', 'dr6', 'dr7'];

/** DR4 and DR5 are DR6 and DR7, unless CR4.DE says otherwise; DR7.GD guards all of them. */
function debugRegister(processor: Processor, number: number): StateName {
  const { registers } = processor;
  if ((number === 4 || number === 5) && (registers.number('cr4') & CR4.DE) !== 0) processor.fault(UD);
  demandPrivilege(processor);
  if (registers.number('dr7') & 0x2000) {
    registers.setWide('dr6', registers.wide('dr6') | 0x2000n);
    processor.fault(DB);
  }
  return debugNames[number] as StateName;
}

export const controlOperations: OperationTable = {
  /** Number, value. */
  writeControl(processor, a, b) {
    demandPrivilege(processor);
    const value = processor.long ? b : b & 0xffffffffn;
    switch (Number(a)) {
      case 0: writeCr0(processor, value); break;
      case 2: processor.registers.setWide('cr2', value); break;
      case 3: writeCr3(processor, value); break;
      case 4: writeCr4(processor, value); break;
      default: writeCr8(processor, value);
    }
  },
  /** General register, number of the control register. */
  readControl(processor, a, b) {
    demandPrivilege(processor);
    const { registers, outside } = processor;
    if (b === 8n) registers.setNumber('cr8', outside.taskPriority);
    registers.setGeneral(Number(a), BigInt.asUintN(processor.long ? 64 : 32, registers.wide(`cr${Number(b) as 0 | 2 | 3 | 4 | 8}`)));
  },
  writeDebug(processor, a, b) {
    const name = debugRegister(processor, Number(a));
    const value = processor.long ? b : b & 0xffffffffn;
    if ((name === 'dr6' || name === 'dr7') && value >> 32n !== 0n) processor.fault(GP, 0);
    if (name === 'dr6') processor.registers.setWide(name, (value & 0xe00fn) | 0xffff0ff0n);
    else if (name === 'dr7') processor.registers.setWide(name, (value & 0xffff2bffn) | 0x400n);
    else processor.registers.setWide(name, value);
    processor.modeChanged();
  },
  readDebug(processor, a, b) {
    const name = debugRegister(processor, Number(b));
    processor.registers.setGeneral(Number(a), BigInt.asUintN(processor.long ? 64 : 32, processor.registers.wide(name)));
  },
  clearTaskSwitched(processor) {
    demandPrivilege(processor);
    const { registers } = processor;
    registers.setWide('cr0', registers.wide('cr0') & ~BigInt(CR0.TS));
    processor.modeChanged();
  },
  /** The lower four bits of CR0; PE can't be cleared. */
  loadMachineStatus(processor, a) {
    demandPrivilege(processor);
    const cr0 = processor.registers.wide('cr0');
    writeCr0(processor, (cr0 & ~0xen) | (a & 0xfn));
  },
  /** Segment number, offset. */
  invalidatePage(processor, a, b) {
    demandPrivilege(processor);
    const based = !processor.long || a >= 4n;
    const linear = based ? processor.registers.wide(`${segmentName(Number(a))}Base`) + b : b;
    processor.flushTranslation(BigInt.asUintN(processor.long ? 64 : 32, linear));
  },
  /** Type, the descriptor's PCID and its address. */
  invalidateTagged(processor, a, b, c) {
    demandPrivilege(processor);
    const tagged = (processor.registers.number('cr4') & CR4.PCIDE) !== 0;
    const wrong = a > 3n || b >> 12n !== 0n || (a === 0n && !isCanonical(c)) || (a < 2n && b !== 0n && !tagged);
    if (wrong) processor.fault(GP, 0);
    if (a === 0n) processor.flushTranslation(c);
    else processor.flushTranslations(a === 2n);
  },
  setExtendedControl(processor, a, b, c) {
    if ((processor.registers.number('cr4') & CR4.OSXSAVE) === 0) processor.fault(UD);
    demandPrivilege(processor);
    const value = ((c & 0xffffffffn) << 32n) | (b & 0xffffffffn);
    const [low, high] = [processor.outside.cpuid(0xd, 0)[0], processor.outside.cpuid(0xd, 0)[3]];
    const offered = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    const halfVector = (value & 4n) !== 0n && (value & 2n) === 0n;
    if ((a & 0xffffffffn) !== 0n || (value & 1n) === 0n || (value & ~offered) !== 0n || halfVector) processor.fault(GP, 0);
    processor.registers.setWide('xcr0', value);
  },
  getExtendedControl(processor, a) {
    const { registers } = processor;
    if ((registers.number('cr4') & CR4.OSXSAVE) === 0) processor.fault(UD);
    if ((a & 0xffffffffn) !== 0n) processor.fault(GP, 0);
    registers.setWide('rax', registers.wide('xcr0') & 0xffffffffn);
    registers.setWide('rdx', registers.wide('xcr0') >> 32n);
  },
};
