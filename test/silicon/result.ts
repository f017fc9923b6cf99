import { codeWindow, found, xsave } from './layout.ts';
import type { Case } from './case.ts';

/** Eight bytes of memory that the case has written something else to. */
export interface Change {
  /** A multiple of 8. */
  readonly address: number;
  readonly value: bigint;
}

export interface Exception {
  readonly vector: number;
  readonly errorCode: number;
  /** Counts for vector 14 only. */
  readonly cr2: bigint;
}

/** It went on to `rip`; it faulted or trapped; it did not end in time; or KVM could not run it. */
export type Outcome = 'done' | 'exception' | 'timeout' | 'lost';

const outcomes = ['done', 'exception', 'timeout'] as const;
const codeEnd = codeWindow.address + codeWindow.pages * 4096;

/** What became of a case, read from what the driver wrote when it is asked for. */
export class Result {
  readonly outcome: Outcome;
  /** Where it would go on; at an exception, what the frame says. 0 when it is not known. */
  readonly rip: bigint;
  readonly exception: Exception | undefined;
  /** What KVM said, when the case is lost. */
  readonly reason: string | undefined;
  readonly #view: DataView;

  /** @param view from the result's first byte on */
  constructor(wanted: Case, view: DataView, reason: string | undefined) {
    this.#view = view;
    this.reason = reason;
    const outcome = reason === undefined ? (outcomes[view.getUint32(found.outcome, true)] as Outcome) : 'lost';
    const next = wanted.rip + wanted.code.length;
    const passed = outcome === 'exception' ? wentOn(wanted, view, next) : outcome === 'done' ? next : undefined;
    const fault = outcome === 'exception' && passed === undefined;
    this.outcome = fault || outcome !== 'exception' ? outcome : 'done';
    this.rip = passed === undefined ? (fault ? view.getBigUint64(found.rip, true) : 0n) : BigInt(passed);
    this.exception = fault
      ? { vector: view.getUint32(found.vector, true), errorCode: view.getUint32(found.errorCode, true), cr2: view.getBigUint64(found.cr2, true) }
      : undefined;
  }

  /** In the order of their encoding. */
  get registers(): BigUint64Array {
    return new BigUint64Array(this.#view.buffer, this.#view.byteOffset + found.registers, 16);
  }

  /** With RF set after a fault, as in its frame. */
  get rflags(): bigint {
    return this.#view.getBigUint64(found.rflags, true);
  }

  get fsBase(): bigint {
    return this.#view.getBigUint64(found.fsBase, true);
  }

  get gsBase(): bigint {
    return this.#view.getBigUint64(found.gsBase, true);
  }

  /** As XSAVE64 writes x87, MMX and SSE, 512 bytes. AMD writes the pointers of the last x87 instruction only with an exception pending. */
  get fx(): Uint8Array {
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + found.xsave, 512);
  }

  /** Upper halves of the YMM registers, 256 bytes. */
  get ymm(): Uint8Array {
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + found.xsave + xsave.ymm, 256);
  }

  /** What differs in memory from what the case found there, in the order of the addresses. */
  get changes(): Change[] {
    return Array.from({ length: this.#view.getUint32(found.count, true) }, (_, index) => {
      const at = found.tail + index * 16;
      return { address: this.#view.getUint32(at, true), value: this.#view.getBigUint64(at + 8, true) };
    });
  }
}

/** Whether the exception is only what we find behind the code, an `int3` of the background or the end of the window, and where. */
function wentOn({ rip: first }: Case, view: DataView, next: number): number | undefined {
  if (view.getUint32(found.rip + 4, true) !== 0) return undefined;
  const rip = view.getUint32(found.rip, true);
  const vector = view.getUint32(found.vector, true);
  if (vector === 14 && rip === next && next === codeEnd) return rip;
  const before = rip - 1;
  const ours = before >= first && before < next;
  return vector === 3 && !ours && before >= codeWindow.address && before < codeEnd ? before : undefined;
}
