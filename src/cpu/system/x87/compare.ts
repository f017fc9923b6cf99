/** x87's comparisons (SDM volume 1, 8.3.6). */

import { RFLAGS } from '../../builder.ts';
import type { OperationTable } from '../operation.ts';
import type { Processor } from '../processor.ts';
import { begin, C0, C1, C2, C3, isEmpty, pop, raised, read, setConditions, stackFault, type Extended } from './stack.ts';
import { readNumber } from './transfer.ts';

/** C3, C2 and C0; all of them for what has no order. Undefined when an unmasked exception forbids to say. */
function compare(processor: Processor, x: Extended | undefined, y: Extended | undefined, quiet: boolean): number | undefined {
  if (x === undefined || y === undefined) return stackFault(processor, false) ? C0 | C2 | C3 : undefined;
  const codes = processor.float.compareF80(x.upper, x.significand, y.upper, y.significand, quiet ? 1 : 0);
  return raised(processor) ? codes : undefined;
}

const present = (processor: Processor, index: number): Extended | undefined => (isEmpty(processor, index) ? undefined : read(processor, index));

function popTimes(processor: Processor, times: number): void {
  for (let time = 0; time < times; time++) pop(processor);
}

const zero: Extended = { upper: 0, significand: 0n };

/** As the flags that FCOMI sets. */
const flagsOf = (codes: number): number => (codes & C3 ? RFLAGS.ZF : 0) | (codes & C2 ? RFLAGS.PF : 0) | (codes & C0 ? RFLAGS.CF : 0);

export const x87Compare: OperationTable = {
  /** Format | pop 8, offset, segment. */
  fcom(processor, what, offset, segment) {
    begin(processor);
    const x = present(processor, 0);
    const y = readNumber(processor, Number(what & 7n), segment, offset, x === undefined);
    if (y === undefined) return;
    const codes = compare(processor, x, y, false);
    if (codes === undefined) return;
    setConditions(processor, C0 | C1 | C2 | C3, codes);
    popTimes(processor, what & 8n ? 1 : 0);
  },
  /** ST(i), quiet, times to pop. */
  fcomRegister(processor, register, quiet, pops) {
    begin(processor);
    const codes = compare(processor, present(processor, 0), present(processor, Number(register)), quiet !== 0n);
    if (codes === undefined) return;
    setConditions(processor, C0 | C1 | C2 | C3, codes);
    popTimes(processor, Number(pops));
  },
  fcomi(processor, register, quiet, pops) {
    begin(processor);
    const codes = compare(processor, present(processor, 0), present(processor, Number(register)), quiet !== 0n);
    if (codes === undefined) return;
    const all = RFLAGS.ZF | RFLAGS.PF | RFLAGS.CF | RFLAGS.OF | RFLAGS.SF | RFLAGS.AF;
    processor.setFlags((processor.flags() & ~all) | flagsOf(codes));
    popTimes(processor, Number(pops));
  },
  ftst(processor) {
    begin(processor);
    const codes = compare(processor, present(processor, 0), zero, false);
    if (codes !== undefined) setConditions(processor, C0 | C1 | C2 | C3, codes);
  },
  fxam(processor) {
    begin(processor);
    const { upper, significand } = read(processor, 0);
    const codes = isEmpty(processor, 0) ? C0 | C3 : processor.float.classifyF80(upper, significand);
    setConditions(processor, C0 | C1 | C2 | C3, (codes & ~C1) | (upper & 0x8000 ? C1 : 0));
  },
};
