/** The functions that emitted code calls: of the engine, in JavaScript, and of the runtime. */

import type { Condition } from '../builder.ts';
import type { HelperName } from '../helpers.ts';
import type { Signature } from '../wasm/module.ts';

/** In the size of an access: it is the stack's, whose address that is none is a #SS. */
export const STACK_ACCESS = 0x100;

/** What emitted code calls in JavaScript. Addresses come as two halves, the lower first; a result of 0 is a fault, told in `internal`. */
export interface EngineFunctions {
  /** Where the host can read `size` bytes (perhaps a {@link STACK_ACCESS}) of a linear address; write; read and then write. */
  slowRead(low: number, high: number, size: number): number;
  slowWrite(low: number, high: number, size: number): number;
  slowModify(low: number, high: number, size: number): number;
  /** What `slowWrite` or `slowModify` has led to the scratch place is there now. */
  finishStore(): void;
  /** Whether an access of so many bytes at an offset is within a segment: what `segmented` could not decide. */
  checkSegment(segment: number, offset: number, size: number, write: number): number;
  /** The record of the instruction at RIP. */
  resolve(rip: bigint): number;
  /** The record of an instruction that goes on in the next page, whose placeholder is given. */
  straddle(record: number): number;
  /** Does a whole instruction; gives the next record. */
  system(operation: number, record: number, a: bigint, b: bigint, c: bigint): number;
}

const i32 = 'i32' as const;
const i64 = 'i64' as const;

/** Of the engine's functions, and of those that the runtime adds. */
export const signatures = {
  slowRead: { parameters: [i32, i32, i32], results: [i32] },
  slowWrite: { parameters: [i32, i32, i32], results: [i32] },
  slowModify: { parameters: [i32, i32, i32], results: [i32] },
  finishStore: { parameters: [], results: [] },
  checkSegment: { parameters: [i32, i32, i32, i32], results: [i32] },
  resolve: { parameters: [i64], results: [i32] },
  straddle: { parameters: [i32], results: [i32] },
  system: { parameters: [i32, i32, i64, i64, i64], results: [i32] },
  /** CF, PF, AF, ZF, SF and OF at their places in RFLAGS. */
  flags: { parameters: [], results: [i32] },
  /** An operand's offset in its segment, of the record. */
  address: { parameters: [i32], results: [i64] },
  /** Segment number, offset, size, whether it is written: the linear address outside of 64-bit mode, or -1 after a fault. */
  segmented: { parameters: [i32, i64, i32, i32], results: [i64] },
  /** From a record to RIP: the next record, or 0 to leave the loop. */
  jump: { parameters: [i32, i64], results: [i32] },
  /** The same without the record itself being counted: it is none of the guest's. */
  pass: { parameters: [i32, i64], results: [i32] },
  /** From a record to another one that is known. */
  link: { parameters: [i32, i32], results: [i32] },
  /** Notes the record that a fault comes from, and leaves the loop. */
  leave: { parameters: [i32], results: [i32] },
  /** Runs from a record until something leaves the loop; a single record. Give 0 or the next record. */
  run: { parameters: [i32], results: [i32] },
  step: { parameters: [i32], results: [i32] },
} satisfies Record<string, Signature>;

export type RuntimeFunction = keyof typeof signatures | `is_${Condition}`;

export const handlerSignature: Signature = { parameters: [i32], results: [i32] };

export const signatureOf = (name: RuntimeFunction): Signature => (
  name.startsWith('is_') ? { parameters: [], results: [i32] } : signatures[name as keyof typeof signatures]
);

/** Those that the engine has. */
export const engineFunctions = ['slowRead', 'slowWrite', 'slowModify', 'finishStore', 'checkSegment', 'resolve', 'straddle', 'system'] as const;

/** Numbers of the functions that emitted code calls. */
export interface Functions {
  runtime(name: RuntimeFunction): number;
  helper(name: HelperName): number;
  /** What stands for an operation in calls of `system`. */
  operation(name: string): number;
}
