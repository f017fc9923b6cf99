import type { MemoryRegion } from '../engine/memory.ts';

/** A part of a guest's memory, without where we keep it. */
export type StateRegion = Omit<MemoryRegion, 'offset'>;

export interface ProcessorState {
  /** A cpu_state (src/cpu/state.ts). */
  readonly registers: Uint8Array;
  /** MSRs that it does not have, by number. */
  readonly otherMsrs: ReadonlyMap<number, bigint>;
}

/** What CPUID says for a leaf, and for its subleaves from this one up to the next that is told. */
export interface CpuidAnswer {
  readonly leaf: number;
  readonly subleaf: number;
  /** EAX, EBX, ECX, EDX. */
  readonly registers: readonly [number, number, number, number];
}

/** All of a machine that is not its memory: what it is made of, and what its processors and devices hold. Bytes are copies. */
export interface MachineState {
  /** In the order of their addresses. */
  readonly regions: readonly StateRegion[];
  readonly cpus: readonly ProcessorState[];
  /** In the order of leaves and subleaves. */
  readonly cpuid: readonly CpuidAnswer[];
  /** Each device's state, by its name. */
  readonly devices: ReadonlyMap<string, Uint8Array>;
  /** What firmware can ask fw_cfg for, by number. */
  readonly firmware: ReadonlyMap<number, Uint8Array>;
  /** Of each serial port, what was sent to the guest and has not been read by it. */
  readonly input: readonly Uint8Array[];
}
