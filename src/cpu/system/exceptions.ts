import type { Fault, Processor } from './processor.ts';

const withErrorCode: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17, 21]);

/** Whether an exception pushes an error code (SDM volume 3, table 6-1). */
export const hasErrorCode = (vector: number): boolean => withErrorCode.has(vector);

/** Where an event comes from: an exception of the instruction at RIP, one after it, or an interrupt from outside. */
export type EventKind = 'fault' | 'trap' | 'interrupt';

/**
 * Enters the handler of a vector (SDM volume 3, chapter 6). A fault on the way becomes a double fault where the SDM says so.
 * @param fault the object that faults of this processor are thrown as
 * @returns false for a fault in the delivery of a double fault: the processor shuts down
 */
export function deliver(_processor: Processor, _fault: Fault, _vector: number, _errorCode: number | undefined, _kind: EventKind): boolean {
  return false;
}
