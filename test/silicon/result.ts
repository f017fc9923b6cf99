import { codeWindow, found, xsave } from './layout.ts';
import type { Case } from './case.ts';

/** Eight bytes of memory that the case has written something else to. */
export interface Change {
  /** A multiple of 8. */
  readonly address: number;
  readonly value: bigint;
}

export interface Result {
  /** It went on to `rip`; it faulted or trapped; it did not end in time; or KVM could not run it. */
  readonly outcome: 'done' | 'exception' | 'timeout' | 'lost';
  readonly registers: BigUint64Array;
  /** Where it would go on; at an exception, what the frame says. */
  readonly rip: bigint;
  readonly rflags: bigint;
  readonly fsBase: bigint;
  readonly gsBase: bigint;
  /** As FXSAVE64 writes it. */
  readonly fx: Uint8Array;
  readonly ymm: Uint8Array;
  /** `cr2` counts for vector 14 only. */
  readonly exception: { readonly vector: number; readonly errorCode: number; readonly cr2: bigint } | undefined;
  readonly changes: readonly Change[];
  /** What KVM said, when it is lost. */
  readonly reason: string | undefined;
}

const outcomes = ['done', 'exception', 'timeout'] as const;
const codeEnd = codeWindow.address + codeWindow.pages * 4096;

/** @param lost why KVM could not run it, if it could not */
export function readResult(wanted: Case, bytes: Uint8Array, offset: number, lost: string | undefined): Result {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  const number = (field: number): bigint => view.getBigUint64(field, true);
  const state = {
    registers: new BigUint64Array(bytes.buffer, bytes.byteOffset + offset + found.registers, 16),
    rflags: number(found.rflags), fsBase: number(found.fsBase), gsBase: number(found.gsBase),
    fx: bytes.subarray(offset + found.xsave, offset + found.xsave + 512),
    ymm: bytes.subarray(offset + found.xsave + xsave.ymm, offset + found.xsave + xsave.size),
    changes: changesOf(view),
  };
  const outcome = outcomes[view.getUint32(found.outcome, true)] ?? 'lost';
  const next = BigInt(wanted.rip + wanted.code.length);
  if (lost !== undefined) return { ...state, outcome: 'lost', rip: 0n, exception: undefined, reason: lost };
  if (outcome !== 'exception') return { ...state, outcome, rip: outcome === 'done' ? next : 0n, exception: undefined, reason: undefined };
  const rip = number(found.rip);
  const exception = { vector: view.getUint32(found.vector, true), errorCode: view.getUint32(found.errorCode, true), cr2: number(found.cr2) };
  const goesOn = wentOn(wanted, exception.vector, rip, next);
  return { ...state, outcome: goesOn === undefined ? 'exception' : 'done', rip: goesOn ?? rip, exception: goesOn === undefined ? exception : undefined, reason: undefined };
}

/** Whether the exception is only what we find behind the code: an `int3` of the background, or the end of the window. */
function wentOn({ rip: first }: Case, vector: number, rip: bigint, next: bigint): bigint | undefined {
  if (vector === 14 && rip === next && next === BigInt(codeEnd)) return rip;
  const before = rip - 1n;
  const ours = before >= BigInt(first) && before < next;
  return vector === 3 && !ours && before >= BigInt(codeWindow.address) && before < BigInt(codeEnd) ? before : undefined;
}

function changesOf(view: DataView): Change[] {
  return Array.from({ length: view.getUint32(found.count, true) }, (_, index) => {
    const at = found.tail + index * 16;
    return { address: Number(view.getBigUint64(at, true)), value: view.getBigUint64(at + 8, true) };
  });
}
