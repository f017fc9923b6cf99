import type { Value, Width } from '../builder.ts';
import type { SegmentRegister } from '../state.ts';

/** Operands in a region: all of an encoding is known. */
export interface Memory {
  readonly kind: 'memory';
  readonly width: Width;
  /** In the segment. */
  readonly offset: Value;
  readonly segment: SegmentRegister;
  readonly aligned?: boolean;
  /** Where `modify` has found it in the host's memory: a local. */
  host?: number;
}

/** In a local over the whole region. `high`: bits 8 to 15. */
export interface General {
  readonly kind: 'register';
  readonly bank: 'general';
  readonly width: Width;
  readonly number: number;
  readonly high: boolean;
}

/** Any other register, in the processor's state. */
export interface Member {
  readonly kind: 'register';
  readonly bank: 'state' | 'mmx';
  readonly width: Width;
  /** Counted from the state. */
  readonly place: number;
  readonly number: number;
}

export interface Immediate {
  readonly kind: 'immediate';
  readonly width: Width;
  readonly value: Value;
}

export type RegionOperand = Memory | General | Member | Immediate;
