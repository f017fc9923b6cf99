/**
 * All of a processor that software can see, in one declared layout: engines keep it, snapshots copy it, the oracle compares it.
 * Names are those of the Intel SDM, volume 3; general registers stand in the order of their encoding.
 */

import { struct, type FieldType } from '../lib/layout.ts';

export const generalRegisters = [
  'rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15',
] as const;
export type GeneralRegister = (typeof generalRegisters)[number];

/** In the order of their encoding in an instruction; the two of the system behind them. */
export const segmentRegisters = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'] as const;
export type SegmentRegister = (typeof segmentRegisters)[number];

/**
 * A segment's attributes are bits 40 to 55 of its descriptor shifted down: type 0-3, S 4, DPL 5-6, P 7, AVL 12, L 13, D/B 14, G 15.
 * Bits 8-11 (the limit's, in a descriptor) are free; {@link UNUSABLE} is one of them. The limit is in bytes, G is done already.
 */
export const UNUSABLE = 1 << 8;

type SegmentField = `${SegmentRegister}${'Base' | 'Limit' | 'Selector' | 'Attributes'}`;
type Lane = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7';
type Vector = `st${Lane}${'Low' | 'High'}` | `${'xmm' | 'ymm'}${Lane | '8' | '9' | '10' | '11' | '12' | '13' | '14' | '15'}${'Low' | 'High'}`;

function segments(): Record<SegmentField, FieldType> {
  return Object.fromEntries(segmentRegisters.flatMap((name) => [
    [`${name}Base`, 'u64'], [`${name}Limit`, 'u32'], [`${name}Selector`, 'u16'], [`${name}Attributes`, 'u16'],
  ])) as Record<SegmentField, FieldType>;
}

/** Registers of 16 bytes, each as two words. */
function vectors(name: 'st' | 'xmm' | 'ymm', count: number): Record<Vector, FieldType> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [[`${name}${at}Low`, 'u64'], [`${name}${at}High`, 'u64']]).flat()) as Record<Vector, FieldType>;
}

const general = Object.fromEntries(generalRegisters.map((name) => [name, 'u64'])) as Record<GeneralRegister, FieldType>;

/** 16 bytes aligned, so that vectors are. */
export const cpuState = struct('cpu_state', {
  ...general,
  rip: 'u64',
  rflags: 'u64',
  ...segments(),
  gdtrBase: 'u64', gdtrLimit: 'u32', reserved0: 'u32',
  idtrBase: 'u64', idtrLimit: 'u32', reserved1: 'u32',
  cr0: 'u64', cr2: 'u64', cr3: 'u64', cr4: 'u64', cr8: 'u64', xcr0: 'u64',
  dr0: 'u64', dr1: 'u64', dr2: 'u64', dr3: 'u64', dr6: 'u64', dr7: 'u64',
  efer: 'u64', apicBase: 'u64', pat: 'u64', star: 'u64', lstar: 'u64', cstar: 'u64', sfmask: 'u64', kernelGsBase: 'u64',
  sysenterCs: 'u64', sysenterEsp: 'u64', sysenterEip: 'u64', tscAux: 'u64', miscEnable: 'u64', tscDeadline: 'u64',
  /** Time-stamp counter; an engine whose counter runs by itself writes it when it is asked for the state. */
  tsc: 'u64',
  /** Interrupts are held off for one instruction: 1 after STI, 2 after MOV SS and POP SS. */
  interruptShadow: 'u32',
  /** Non-maskable interrupts wait for IRET. */
  nmiBlocked: 'u32',
  /** 0 runs, 1 waits in HLT, 2 waits for INIT, 3 waits for a start-up interrupt. */
  activity: 'u32',
  /** A non-maskable interrupt is waiting. */
  nmiPending: 'u32',
  /** x87 and SSE as FXSAVE64 writes them (SDM volume 1, 10.5.1): 512 bytes. `ftw` is the abridged tag word. */
  fcw: 'u16', fsw: 'u16', ftw: 'u8', reserved2: 'u8', fop: 'u16', fip: 'u64', fdp: 'u64', mxcsr: 'u32', mxcsrMask: 'u32',
  ...vectors('st', 8),
  ...vectors('xmm', 16),
  ...vectors('ymm', 16),
});

/** MSRs that are plain state, by number (SDM volume 4). */
export const stateOfMsr = {
  0x1b: 'apicBase', 0x174: 'sysenterCs', 0x175: 'sysenterEsp', 0x176: 'sysenterEip', 0x1a0: 'miscEnable', 0x277: 'pat', 0x6e0: 'tscDeadline',
  0xc0000080: 'efer', 0xc0000081: 'star', 0xc0000082: 'lstar', 0xc0000083: 'cstar', 0xc0000084: 'sfmask',
  0xc0000100: 'fsBase', 0xc0000101: 'gsBase', 0xc0000102: 'kernelGsBase', 0xc0000103: 'tscAux',
} as const;
