/** x87's comparisons (SDM volume 1, 8.3.6). */

import { RFLAGS } from '../../builder.ts';
import type { OperationTable } from '../operation.ts';
import type { Processor } from '../processor.ts';
import { begin, C0, C1, C2, C3, DE, isEmpty, isNoNumber, pop, raised, read, setConditions, stackFault, type Extended } from './stack.ts';
import { beginWith, widen } from './transfer.ts';

const unordered = C0 | C2 | C3;

interface Found {
  /** C3, C2 and C0; all of them for what has no order, whether the exception of that is masked or not. */
  readonly codes: number;
  /** Whether the instruction goes on to pop: no exception is unmasked. */
  readonly goesOn: boolean;
}

function compare(processor: Processor, x: Extended | undefined, y: Extended | undefined, quiet: boolean, more = 0): Found {
  if (x === undefined || y === undefined) return { codes: unordered, goesOn: stackFault(processor, false) };
  const codes = processor.float.compareF80(x.upper, x.significand, y.upper, y.significand, quiet ? 1 : 0);
  return { codes, goesOn: raised(processor, more) };
}

function tell(processor: Processor, { codes, goesOn }: Found, pops: number): void {
  setConditions(processor, C0 | C1 | C2 | C3, codes);
  if (goesOn) popTimes(processor, pops);
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
    const bits = beginWith(processor, Number(what & 7n), segment, offset);
    const x = present(processor, 0);
    const { value, isDenormal } = widen(processor, Number(what & 7n), bits);
    const more = isDenormal && x !== undefined && !isNoNumber(x) ? DE : 0;
    tell(processor, compare(processor, x, value, false, more), what & 8n ? 1 : 0);
  },
  /** ST(i), quiet, times to pop. */
  fcomRegister(processor, register, quiet, pops) {
    begin(processor);
    tell(processor, compare(processor, present(processor, 0), present(processor, Number(register)), quiet !== 0n), Number(pops));
  },
  /** C1 is cleared by a fault of the stack alone. */
  fcomi(processor, register, quiet, pops) {
    const { registers } = processor;
    const before = registers.number('fsw') & C1;
    begin(processor);
    registers.setNumber('fsw', registers.number('fsw') | before);
    const { codes, goesOn } = compare(processor, present(processor, 0), present(processor, Number(register)), quiet !== 0n);
    const all = RFLAGS.ZF | RFLAGS.PF | RFLAGS.CF | RFLAGS.OF | RFLAGS.SF | RFLAGS.AF;
    processor.setFlags((processor.flags() & ~all) | flagsOf(codes));
    if (goesOn) popTimes(processor, Number(pops));
  },
  ftst(processor) {
    begin(processor);
    tell(processor, compare(processor, present(processor, 0), zero, false), 0);
  },
  fxam(processor) {
    begin(processor);
    const { upper, significand } = read(processor, 0);
    const codes = isEmpty(processor, 0) ? C0 | C3 : processor.float.classifyF80(upper, significand);
    setConditions(processor, C0 | C1 | C2 | C3, (codes & ~C1) | (upper & 0x8000 ? C1 : 0));
  },
};
