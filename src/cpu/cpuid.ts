/**
 * What the software processor says of itself (SDM volume 2, CPUID). A feature is offered when the instruction that stands for it is in the table.
 *
 * It is an Atom of family 6, model 36h: an in-order core, which Linux knows to be free of all the leaks by speculation (as this one is), so that
 * it runs without page-table isolation, retpolines and the like.
 */

import { instructions } from './isa/index.ts';
import { physicalBits } from './paging.ts';

export interface CpuidOptions {
  /** Processors of the machine, and which of them this is. */
  readonly cpus: number;
  readonly apicId: number;
  /** Frequency of the time-stamp counter, in Hz; of the local APIC's timer, which it is a multiple of. */
  readonly timestampHz: number;
  readonly timerHz: number;
  /** Says that it is a virtual machine; left out for one that is not to be told. */
  readonly hypervisor: boolean;
}

export type Leaf = readonly [eax: number, ebx: number, ecx: number, edx: number];
export type Cpuid = (leaf: number, subleaf: number) => Leaf;

type Word = '1.ecx' | '1.edx' | '7.ebx' | '7.ecx' | '7.edx' | '80000001.ecx' | '80000001.edx';

/** Where its bit is, its name as the kernel has it, and an instruction without which it is not there. */
const features: readonly (readonly [Word, number, string, string?])[] = [
  ['1.ecx', 0, 'pni', 'ADDSUBPS'],
  ['1.ecx', 1, 'pclmulqdq', 'PCLMULQDQ'],
  ['1.ecx', 9, 'ssse3', 'PSHUFB'],
  ['1.ecx', 12, 'fma', 'VFMADD132PS'],
  ['1.ecx', 13, 'cx16', 'CMPXCHG8B'],
  ['1.ecx', 17, 'pcid', 'INVPCID'],
  ['1.ecx', 19, 'sse4_1', 'PTEST'],
  ['1.ecx', 20, 'sse4_2', 'PCMPESTRI'],
  ['1.ecx', 21, 'x2apic'],
  ['1.ecx', 22, 'movbe', 'MOVBE'],
  ['1.ecx', 23, 'popcnt', 'POPCNT'],
  ['1.ecx', 24, 'tsc_deadline_timer'],
  ['1.ecx', 25, 'aes', 'AESENC'],
  ['1.ecx', 26, 'xsave', 'XSAVE'],
  ['1.ecx', 28, 'avx', 'VADDPS'],
  ['1.ecx', 29, 'f16c', 'VCVTPH2PS'],
  ['1.ecx', 30, 'rdrand', 'RDRAND'],
  ['1.edx', 0, 'fpu', 'FADD'],
  ['1.edx', 1, 'vme'],
  ['1.edx', 2, 'de'],
  ['1.edx', 3, 'pse'],
  ['1.edx', 4, 'tsc'],
  ['1.edx', 5, 'msr'],
  ['1.edx', 6, 'pae'],
  ['1.edx', 7, 'mce'],
  ['1.edx', 8, 'cx8'],
  ['1.edx', 9, 'apic'],
  ['1.edx', 11, 'sep'],
  ['1.edx', 12, 'mtrr'],
  ['1.edx', 13, 'pge'],
  ['1.edx', 14, 'mca'],
  ['1.edx', 15, 'cmov'],
  ['1.edx', 16, 'pat'],
  ['1.edx', 17, 'pse36'],
  ['1.edx', 19, 'clflush', 'CLFLUSH'],
  ['1.edx', 23, 'mmx', 'PADDB'],
  ['1.edx', 24, 'fxsr', 'FXSAVE'],
  ['1.edx', 25, 'sse', 'ADDPS'],
  ['1.edx', 26, 'sse2', 'ADDPD'],
  ['7.ebx', 0, 'fsgsbase', 'RDFSBASE'],
  ['7.ebx', 3, 'bmi1', 'ANDN'],
  ['7.ebx', 5, 'avx2', 'VPBROADCASTB'],
  ['7.ebx', 7, 'smep'],
  ['7.ebx', 8, 'bmi2', 'PDEP'],
  ['7.ebx', 10, 'invpcid', 'INVPCID'],
  ['7.ebx', 18, 'rdseed', 'RDSEED'],
  ['7.ebx', 19, 'adx', 'ADCX'],
  ['7.ebx', 20, 'smap', 'STAC'],
  ['7.ebx', 23, 'clflushopt', 'CLFLUSHOPT'],
  ['7.ebx', 29, 'sha_ni', 'SHA256RNDS2'],
  ['7.ecx', 2, 'umip'],
  ['7.ecx', 22, 'rdpid', 'RDPID'],
  ['80000001.ecx', 0, 'lahf_lm'],
  ['80000001.ecx', 5, 'abm', 'LZCNT'],
  ['80000001.ecx', 8, '3dnowprefetch'],
  ['80000001.edx', 11, 'syscall'],
  ['80000001.edx', 20, 'nx'],
  ['80000001.edx', 26, 'pdpe1gb'],
  ['80000001.edx', 27, 'rdtscp'],
  ['80000001.edx', 29, 'lm'],
];

const known: ReadonlySet<string> = new Set(instructions.map(({ name }) => name));

/** Names of the features that are offered. */
export const offeredFeatures: readonly string[] = features.filter(([, , , witness]) => witness === undefined || known.has(witness)).map(([, , name]) => name);

const offered: ReadonlySet<string> = new Set(offeredFeatures);
const bits = (word: Word): number => features.reduce((sum, [at, bit, name]) => (at === word && offered.has(name) ? sum | (1 << bit) : sum), 0) >>> 0;

const registerOf: Readonly<Record<string, 1 | 2 | 3>> = { ebx: 1, ecx: 2, edx: 3 };

/** Names of the features that a processor says it has, of those that are known here. */
export function featuresOf(cpuid: Cpuid): string[] {
  return features.flatMap(([word, bit, name]) => {
    const [leaf = '', register = ''] = word.split('.');
    return ((cpuid(Number.parseInt(leaf, 16), 0)[registerOf[register] ?? 0] >>> bit) & 1) === 1 ? [name] : [];
  });
}

/** Four letters of a text as a register has them. */
const letters = (text: string, at: number): number => [0, 1, 2, 3].reduce((sum, byte) => (sum | ((text.charCodeAt(at + byte) || 0) << (8 * byte))) >>> 0, 0);

const vendor = 'GenuineIntel';
const signature = 'DelosMachine';
const brand = 'Delos software processor'.padEnd(48, '\0');

/** Stepping 1, model 36h, family 6. */
const version = 0x30661;
const hypervisorBit = 0x80000000;
const lastBasic = 0x16;
const lastHypervisor = 0x40000010;
const lastExtended = 0x80000008;
const none: Leaf = [0, 0, 0, 0];

/** Deterministic cache parameters: type, level, kilobytes, ways; lines have 64 bytes. */
const caches = [[1, 1, 32, 8], [2, 1, 32, 8], [3, 2, 1024, 16]] as const;

function cache(subleaf: number): Leaf {
  const found = caches[subleaf];
  if (found === undefined) return none;
  const [type, level, kilobytes, ways] = found;
  return [type | (level << 5) | 0x100, 63 | ((ways - 1) << 22), (kilobytes * 1024) / 64 / ways - 1, 0];
}

/** Of the XSAVE area: x87 and SSE with the header, and behind them the upper halves of AVX's vectors. */
function saveArea(subleaf: number): Leaf {
  if (!offered.has('xsave')) return none;
  const wide = offered.has('avx');
  if (subleaf === 0) return [wide ? 7 : 3, 576, wide ? 832 : 576, 0];
  return subleaf === 2 && wide ? [256, 576, 0, 0] : none;
}

export function softwareCpuid({ cpus, apicId, timestampHz, timerHz, hypervisor }: CpuidOptions): Cpuid {
  const idBits = Math.ceil(Math.log2(Math.max(cpus, 1)));
  const several = cpus > 1 ? 1 << 28 : 0;
  const topology = (subleaf: number): Leaf => {
    if (subleaf === 0) return [0, 1, 0x100, apicId];
    return subleaf === 1 ? [idBits, cpus, 0x201, apicId] : [0, 0, subleaf, apicId];
  };
  const basic: Readonly<Record<number, (subleaf: number) => Leaf>> = {
    0: () => [lastBasic, letters(vendor, 0), letters(vendor, 8), letters(vendor, 4)],
    1: () => [
      version, ((apicId << 24) | (Math.min(cpus, 255) << 16) | (8 << 8)) >>> 0, (bits('1.ecx') | (hypervisor ? hypervisorBit : 0)) >>> 0, (bits('1.edx') | several) >>> 0,
    ],
    // One round; everything is in leaf 4.
    2: () => [0xff01, 0, 0, 0],
    4: cache,
    // The APIC's timer runs in every state of sleep.
    6: () => [4, 0, 0, 0],
    7: (subleaf) => (subleaf === 0 ? [0, bits('7.ebx'), bits('7.ecx'), bits('7.edx')] : none),
    0xb: topology,
    0xd: saveArea,
    0x15: () => [1, Math.round(timestampHz / timerHz), timerHz, 0],
    0x16: () => [Math.round(timestampHz / 1e6), Math.round(timestampHz / 1e6), Math.round(timerHz / 1e6), 0],
    0x80000000: () => [lastExtended, 0, 0, 0],
    0x80000001: () => [0, 0, bits('80000001.ecx'), bits('80000001.edx')],
    0x80000006: () => [0, 0, (1024 << 16) | (8 << 12) | 64, 0],
    // The counter runs at one speed whatever happens.
    0x80000007: () => [0, 0, 0, 0x100],
    0x80000008: () => [physicalBits | (48 << 8), 0, 0, 0],
  };
  const virtual: Readonly<Record<number, Leaf>> = {
    0x40000000: [lastHypervisor, letters(signature, 0), letters(signature, 4), letters(signature, 8)],
    [lastHypervisor]: [Math.round(timestampHz / 1000), Math.round(timerHz / 1000), 0, 0],
  };
  return (leaf, subleaf) => {
    if (leaf >= 0x80000002 && leaf <= 0x80000004) return [0, 4, 8, 12].map((at) => letters(brand, 16 * (leaf - 0x80000002) + at)) as unknown as Leaf;
    if (leaf >= 0x40000000 && leaf < 0x80000000) return (hypervisor ? virtual[leaf] : undefined) ?? none;
    return basic[leaf]?.(subleaf) ?? none;
  };
}
