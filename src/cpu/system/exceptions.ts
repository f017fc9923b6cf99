/** Exceptions and interrupts reach their handlers (SDM volume 3, chapter 6). */

import { enterHandler } from './interrupt.ts';
import { isProtected } from './mode.ts';
import { DE, DF, GP, NP, PF, SS, TS, type Fault, type Processor } from './processor.ts';

const withErrorCode: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17, 21]);

/** Whether an exception pushes an error code (SDM volume 3, table 6-1). */
export const hasErrorCode = (vector: number): boolean => withErrorCode.has(vector);

/** Where an event comes from: an exception of the instruction at RIP, one after it, or an interrupt from outside. */
export type EventKind = 'fault' | 'trap' | 'interrupt';

const contributory: ReadonlySet<number> = new Set([DE, TS, NP, SS, GP]);

/** Whether a second exception in the delivery of the first makes a double fault (SDM volume 3, table 6-5). */
function makesDoubleFault(first: number, second: number): boolean {
  if (contributory.has(first)) return contributory.has(second);
  return first === PF && (second === PF || contributory.has(second));
}

/**
 * Enters the handler of a vector (SDM volume 3, chapter 6). A fault on the way becomes a double fault where the SDM says so.
 * @param fault the object that faults of this processor are thrown as
 * @returns false for a fault in the delivery of a double fault: the processor shuts down
 */
export function deliver(processor: Processor, fault: Fault, vector: number, errorCode: number | undefined, kind: EventKind): boolean {
  let event = { vector, errorCode, kind };
  for (;;) {
    try {
      const code = isProtected(processor) ? event.errorCode : undefined;
      enterHandler(processor, { vector: event.vector, errorCode: code, software: false, external: event.kind === 'interrupt', resume: event.kind === 'fault' });
      return true;
    } catch (error) {
      if (error !== fault) throw error;
    }
    const exception = event.kind !== 'interrupt';
    if (exception && event.vector === DF) return false;
    const double = exception && makesDoubleFault(event.vector, fault.vector);
    event = double ? { vector: DF, errorCode: 0, kind: 'fault' } : { vector: fault.vector, errorCode: fault.errorCode, kind: 'fault' };
  }
}
