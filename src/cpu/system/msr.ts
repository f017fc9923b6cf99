/** Model-specific registers (SDM volume 4). */

import { EFER_LMA } from '../paging.ts';
import { stateOfMsr } from '../state.ts';
import { CR0, demandPrivilege, isCanonical } from './mode.ts';
import type { OperationTable } from './operation.ts';
import { GP, type Processor } from './processor.ts';

type StateMsr = keyof typeof stateOfMsr;

const TSC = 0x10;
const MISC_ENABLE = 0x1a0;
const PAT = 0x277;
const EFER = 0xc0000080;

/** SCE, LME, LMA, NXE. */
const knownEfer = 0xd01n;
const addresses: ReadonlySet<number> = new Set([0x175, 0x176, 0xc0000082, 0xc0000083, 0xc0000100, 0xc0000101, 0xc0000102]);
const words: ReadonlySet<number> = new Set([0x174, 0xc0000084, 0xc0000103]);

/** Read as these, and what is written to them changes nothing: what Linux and firmware touch without asking CPUID. */
const constants: Readonly<Record<number, bigint>> = {
  /** Platform id, and the feature control that firmware locks. */
  0x17: 0n, 0x3a: 1n,
  /** BIOS_UPDT_TRIG, BIOS_SIGN_ID: a revision of microcode in the upper half. */
  0x79: 0n, 0x8b: 1n << 32n,
  /** MCG_CAP: no banks; MCG_STATUS. */
  0x179: 0n, 0x17a: 0n,
};

/** MTRRs: kept as they are written, and of no effect. Eight variable pairs, eleven fixed ones, the default type. */
const isMtrr = (number: number): boolean => (number >= 0x200 && number <= 0x20f) || [0x250, 0x258, 0x259, 0x2ff].includes(number) || (number >= 0x268 && number <= 0x26f);
const MTRRCAP = 0xfe;
const mtrrCapabilities = 0x508n;

const stateName = (number: number): (typeof stateOfMsr)[StateMsr] | undefined => (stateOfMsr as Partial<Record<number, (typeof stateOfMsr)[StateMsr]>>)[number];

/** undefined for one that there is none of. */
export function readMsr(processor: Processor, number: number): bigint | undefined {
  const { registers, outside } = processor;
  if (number === TSC) return outside.timestamp();
  const outer = outside.readMsr(number);
  if (outer !== undefined) return outer;
  const name = stateName(number);
  if (name !== undefined) return registers.wide(name);
  if (number === MTRRCAP) return mtrrCapabilities;
  if (isMtrr(number)) return processor.otherMsrs.get(number) ?? 0n;
  return constants[number];
}

/** Whether there is such an MSR and it takes the value. */
export function writeMsr(processor: Processor, number: number, value: bigint): boolean {
  const { registers, outside } = processor;
  const name = stateName(number);
  if (number === EFER) return writeEfer(processor, value);
  if (outside.writeMsr(number, value)) return true;
  if (isMtrr(number)) {
    processor.otherMsrs.set(number, value);
    return true;
  }
  if (name === undefined) return number in constants;
  if (addresses.has(number) && !isCanonical(value)) return false;
  if (number === PAT && !isPat(value)) return false;
  if (number === MISC_ENABLE && value >> 40n !== 0n) return false;
  registers.setWide(name, words.has(number) ? value & 0xffffffffn : value);
  return true;
}

function writeEfer(processor: Processor, value: bigint): boolean {
  const { registers } = processor;
  const old = registers.wide('efer');
  if ((value & ~knownEfer) !== 0n) return false;
  const changesLme = ((value ^ old) & 0x100n) !== 0n;
  if (changesLme && registers.number('cr0') >= CR0.PG) return false;
  registers.setWide('efer', (value & ~BigInt(EFER_LMA)) | (old & BigInt(EFER_LMA)));
  processor.modeChanged();
  if (((value ^ old) & 0x800n) !== 0n) processor.flushTranslations(true);
  return true;
}

/** Eight memory types, each one that there is: UC, WC, WT, WP, WB, UC-. */
function isPat(value: bigint): boolean {
  for (let at = 0n; at < 64n; at += 8n) if (![0n, 1n, 4n, 5n, 6n, 7n].includes((value >> at) & 0xffn)) return false;
  return true;
}

export const msrOperations: OperationTable = {
  readMsr(processor) {
    demandPrivilege(processor);
    const { registers } = processor;
    const number = Number(registers.wide('rcx') & 0xffffffffn);
    const value = readMsr(processor, number) ?? processor.fault(GP, 0);
    processor.witness?.msr?.(false, number, value);
    registers.setWide('rax', value & 0xffffffffn);
    registers.setWide('rdx', value >> 32n);
  },
  writeMsr(processor) {
    demandPrivilege(processor);
    const { registers } = processor;
    const value = ((registers.wide('rdx') & 0xffffffffn) << 32n) | (registers.wide('rax') & 0xffffffffn);
    const number = Number(registers.wide('rcx') & 0xffffffffn);
    if (!writeMsr(processor, number, value)) processor.fault(GP, 0);
    processor.witness?.msr?.(true, number, value);
  },
};
