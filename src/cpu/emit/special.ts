/** What stands in the place of an instruction's record where none can be: ways on, and what can't be decoded. */

import { EXIT, internalOffset, RECORD, STATE } from '../layout.ts';
import type { Code } from '../wasm/code.ts';
import { record } from './access.ts';
import type { Functions } from './signatures.ts';

/** Their numbers are the first of all handlers. */
export const special = ['pageEnd', 'goTo', 'straddle', 'stale', 'invalid', 'tooLong'] as const;
export type SpecialHandler = (typeof special)[number];

const at = (name: Parameters<typeof internalOffset>[0]): number => STATE + internalOffset(name);

/** To the address in RIP's page that the record has as its offset. */
function goOn(functions: Functions, code: Code): Code {
  code.get(record).i32(0).access('i64.load', at('pageBase')).get(record).access('i64.load16_u', RECORD.offset).op('i64.add');
  return code.call(functions.runtime('pass'));
}

/** The vector is in the place of the immediate. */
function raise(functions: Functions, code: Code): Code {
  code.i32(0).get(record).access('i32.load', RECORD.immediate).access('i32.store', at('vector'));
  code.i32(0).i32(0).access('i32.store', at('errorCode')).i32(0).i32(EXIT.fault).access('i32.store', at('exit'));
  return code.get(record).call(functions.runtime('leave'));
}

/** Puts the next record on the stack, or 0. */
export const specialCode: Readonly<Record<SpecialHandler, (functions: Functions, code: Code) => Code>> = {
  // The next page, or the next instruction of a run that was cut.
  pageEnd: goOn,
  goTo: goOn,
  straddle: (functions, code) => code.get(record).call(functions.runtime('straddle')),
  stale: goOn,
  invalid: raise,
  tooLong: raise,
};
