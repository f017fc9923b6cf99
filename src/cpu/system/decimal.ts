/** Adjustments of decimal digits (SDM volume 1, 7.3.4). */

import { RFLAGS } from '../builder.ts';
import type { OperationTable } from './operation.ts';
import { DE, type Processor } from './processor.ts';

const accumulator = ({ registers }: Processor): number => Number(registers.general(0) & 0xffffn);

function setAccumulator({ registers }: Processor, value: number): void {
  registers.setGeneral(0, (registers.general(0) & ~0xffffn) | BigInt(value & 0xffff));
}

/** ZF, SF and PF by AL, and CF and AF as given; OF is undefined and cleared. */
function setFlags(processor: Processor, carry: boolean, adjust: boolean): void {
  const al = accumulator(processor) & 0xff;
  let parity = al;
  for (const shift of [4, 2, 1]) parity ^= parity >> shift;
  const given = (carry ? RFLAGS.CF : 0) | (adjust ? RFLAGS.AF : 0) | (al === 0 ? RFLAGS.ZF : 0) | (al & 0x80 ? RFLAGS.SF : 0) | (parity & 1 ? 0 : RFLAGS.PF);
  const all = RFLAGS.CF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.PF | RFLAGS.OF;
  processor.setFlags((processor.flags() & ~all) | given);
}

/** Of packed digits, after an addition (1) or a subtraction (-1). */
function adjustPacked(processor: Processor, sign: 1 | -1): void {
  const flags = processor.flags();
  const before = accumulator(processor);
  const al = before & 0xff;
  const carry = (flags & RFLAGS.CF) !== 0;
  const low = (al & 0xf) > 9 || (flags & RFLAGS.AF) !== 0;
  const high = al > 0x99 || carry;
  const adjusted = al + sign * ((low ? 6 : 0) + (high ? 0x60 : 0));
  setAccumulator(processor, (before & 0xff00) | (adjusted & 0xff));
  // A borrow out of the lower digit alone is one of the whole.
  setFlags(processor, high || (low && sign < 0 && al < 6), low);
}

/** Of unpacked digits: AL's lower digit, with a carry into AH. */
function adjustUnpacked(processor: Processor, sign: 1 | -1): void {
  const flags = processor.flags();
  const before = accumulator(processor);
  const adjust = (before & 0xf) > 9 || (flags & RFLAGS.AF) !== 0;
  setAccumulator(processor, (adjust ? before + sign * 0x106 : before) & 0xff0f);
  setFlags(processor, adjust, adjust);
}

export const decimalOperations: OperationTable = {
  daa: (processor) => adjustPacked(processor, 1),
  das: (processor) => adjustPacked(processor, -1),
  aaa: (processor) => adjustUnpacked(processor, 1),
  aas: (processor) => adjustUnpacked(processor, -1),
  /** The base. */
  aam(processor, a) {
    const base = Number(a & 0xffn);
    if (base === 0) processor.fault(DE);
    const al = accumulator(processor) & 0xff;
    setAccumulator(processor, (Math.floor(al / base) << 8) | (al % base));
    setFlags(processor, false, false);
  },
  aad(processor, a) {
    const before = accumulator(processor);
    setAccumulator(processor, ((before & 0xff) + (before >> 8) * Number(a & 0xffn)) & 0xff);
    setFlags(processor, false, false);
  },
};
