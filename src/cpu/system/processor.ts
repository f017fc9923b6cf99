/**
 * What the system instructions, exceptions and interrupts are written against: registers, memory and the outside. The interpreter and the
 * oracle each are one.
 */

import type { Float } from '../float/float.ts';
import type { Registers } from '../registers.ts';

/** An exception, thrown inside src/cpu/system alone; an engine catches it around each operation. One object is used again and again. */
export class Fault {
  vector = 0;
  /** Undefined for those without one. */
  errorCode: number | undefined = undefined;
}

/** How the handler of a vector came to be entered. Places are CS and RIP. */
export interface HandlerEntry {
  readonly vector: number;
  readonly errorCode: number | undefined;
  /** `software` is INT n and its like. */
  readonly cause: 'exception' | 'interrupt' | 'software';
  /** Where the guest is to go on behind it, and where its handler begins. */
  readonly from: CodePlace;
  readonly to: CodePlace;
  /** The address of a page fault. */
  readonly cr2: bigint | undefined;
}

export interface CodePlace {
  readonly selector: number;
  readonly rip: bigint;
}

/** Who looks on at what is no plain execution. */
export interface Witness {
  entered?(entry: HandlerEntry): void;
  /** RDMSR or WRMSR that did not fault. */
  msr?(write: boolean, number: number, value: bigint): void;
}

export interface Processor {
  /** Undefined costs nothing. */
  readonly witness: Witness | undefined;
  readonly registers: Registers;
  readonly outside: Outside;
  readonly float: Float;
  /** RFLAGS, whole; arithmetic flags included. */
  flags(): number;
  setFlags(flags: number): void;
  /** The current privilege level. */
  readonly level: number;
  /** Whether instructions are in 64-bit mode. */
  readonly long: boolean;

  /**
   * Memory by linear address, little endian, 1 to 8 bytes. `implicit`: the processor's own access to descriptor tables and task states, with the
   * supervisor's rights whatever the level is. @throws Fault #PF, #GP
   */
  read(linear: bigint, bytes: number, implicit?: boolean): bigint;
  write(linear: bigint, bytes: number, value: bigint, implicit?: boolean): void;
  /** The same through a segment, with its checks. */
  readSegment(segment: number, offset: bigint, bytes: number): bigint;
  writeSegment(segment: number, offset: bigint, bytes: number, value: bigint): void;

  /** The bytes themselves, where they are plain memory within one page; undefined where only the others are right. @throws Fault */
  bytesAt(segment: number, offset: bigint, bytes: number, write: boolean): Uint8Array | undefined;
  /** An aligned word of physical memory. */
  readPhysical(address: number): number;
  /** Set by an operation whose instruction is not done: it begins anew, with the registers as they are now. */
  repeats: boolean;
  /** Whether the single-step trap is taken behind this instruction; whatever enters a handler clears it. */
  trapPending: boolean;
  /** Bits of DR6 that a #DB behind this instruction is to show: breakpoints that it has met, and the T bit of a task that it has entered. */
  debugCauses: number;
  /** Each step of a repeated instruction is looked at by itself. */
  readonly stepping: boolean;
  /** MSRs that are kept and mean nothing (MTRRs). */
  readonly otherMsrs: Map<number, bigint>;

  /** Something is to be done between this instruction and the next. */
  pause(): void;
  /** After control registers, EFER, CS, SS, the level or RFLAGS.AC have changed: what follows from them is worked out anew. */
  modeChanged(): void;
  /** Forgets translations: all of them, all but global ones, or those of one address. */
  flushTranslations(global: boolean): void;
  flushTranslation(linear: bigint): void;

  /** @throws Fault */
  fault(vector: number, errorCode?: number): never;
}

/** What is not the processor. */
export interface Outside {
  readPort(port: number, bytes: 1 | 2 | 4): number;
  writePort(port: number, bytes: 1 | 2 | 4, value: number): void;
  readMemory(address: number, bytes: 1 | 2 | 4): number;
  writeMemory(address: number, bytes: 1 | 2 | 4, value: number): void;
  /** EAX, EBX, ECX, EDX. */
  cpuid(leaf: number, subleaf: number): readonly [number, number, number, number];
  /** Time-stamp counter, before IA32_TSC_ADJUST and the like. */
  timestamp(): bigint;
  /** An MSR that the processor itself does not hold (x2APIC and such); undefined when there is none. */
  readMsr(number: number): bigint | undefined;
  writeMsr(number: number, value: bigint): boolean;
  /** The local APIC's task priority, as CR8. */
  taskPriority: number;
}

/** Vectors (SDM volume 3, table 6-1). */
export const DE = 0;
export const DB = 1;
export const NMI = 2;
export const BP = 3;
export const OF = 4;
export const BR = 5;
export const UD = 6;
export const NM = 7;
export const DF = 8;
export const TS = 10;
export const NP = 11;
export const SS = 12;
export const GP = 13;
export const PF = 14;
export const MF = 16;
export const AC = 17;
export const XM = 19;
