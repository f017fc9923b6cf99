import type { Processor } from './processor.ts';

/** Does a whole instruction. RIP is the next one's already. @param a up to three values of 64 bits, as the meaning gives them */
export type Operation = (processor: Processor, a: bigint, b: bigint, c: bigint) => void;

/** The operations of one topic, by the names that meanings call them. */
export type OperationTable = Readonly<Record<string, Operation>>;
