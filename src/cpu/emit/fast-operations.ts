/**
 * Operations that emitted code does itself where nothing has to be asked: Linux' kernel changes the flags all the time. Whatever is not the common
 * case goes the long way, to src/cpu/system.
 */

import { RFLAGS, type Builder, type Value } from '../builder.ts';
import { FLAGS, internalOffset, STATE, stateOffset } from '../layout.ts';
import { CR4_SMAP } from '../paging.ts';
import type { Code } from '../wasm/code.ts';
import { pushValue, valueOf } from './value.ts';

/** What such code is written with. */
export interface FastContext {
  readonly code: Code;
  readonly builder: Builder;
  /** All that `action` puts off until the end of the instruction is done behind it. */
  complete(action: () => void): void;
  /** The instruction is over. */
  next(): Code;
  /** The function that gives the arithmetic flags. */
  readonly arithmeticFlags: number;
}

type FastOperation = (context: FastContext) => void;

const arithmetic = RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.OF;
/** The level in SS's attributes. */
const levelBits = 0x60;
/** What POPF changes at level 0, but for AC, which the TLB has to know of. */
const popped = arithmetic | RFLAGS.TF | RFLAGS.IF | RFLAGS.DF | 0x3000 | RFLAGS.NT | RFLAGS.ID;

const internal = (name: Parameters<typeof internalOffset>[0]): number => STATE + internalOffset(name);
const state = (name: Parameters<typeof stateOffset>[0]): number => STATE + stateOffset(name);
const rflags = (code: Code): Code => code.i32(0).access('i32.load', state('rflags'));
const isLevel0 = (code: Code): Code => code.i32(0).access('i32.load16_u', state('ssAttributes')).i32(levelBits).op('i32.and', 'i32.eqz');

/** At level 0, which real mode is too. */
const clearInterrupts: FastOperation = ({ code, next }) => {
  isLevel0(code).if();
  rflags(code.i32(0)).i32(~RFLAGS.IF).op('i32.and').access('i32.store', state('rflags'));
  next().end();
};

/** When nobody waits for it. */
const setInterrupts: FastOperation = ({ code, next }) => {
  isLevel0(code).i32(0).access('i32.load', internal('interruptRequest')).op('i32.eqz', 'i32.and').if();
  rflags(code).i32(RFLAGS.IF).op('i32.and', 'i32.eqz').if();
  rflags(code.i32(0)).i32(RFLAGS.IF).op('i32.or').access('i32.store', state('rflags'));
  code.i32(0).i32(1).access('i32.store', state('interruptShadow')).end();
  next().end();
};

/** In 64-bit mode it is everybody's. */
const pushFlags: FastOperation = ({ code, builder, complete, arithmeticFlags, next }) => {
  if (!builder.long) return;
  const found = code.local('i64');
  rflags(code).i32(~(arithmetic | RFLAGS.RF | RFLAGS.VM)).op('i32.and').call(arithmeticFlags).op('i32.or', 'i64.extend_i32_u').set(found);
  const whole: Value = valueOf({ width: 64, local: found });
  complete(() => builder.push(builder.truncate(whole, builder.operandSize)));
  next();
};

/** In 64-bit mode at level 0, when AC stays, TF is not set, and nobody waits for IF. */
const popFlags: FastOperation = ({ code, builder, next }) => {
  if (!builder.long || builder.operandSize !== 64) return;
  const stack = builder.register(4, 64);
  const pointer = builder.get(stack);
  const image = code.local('i32');
  pushValue(code, builder.truncate(builder.get(builder.at('ss', pointer, 64)), 32)).set(image);
  isLevel0(code);
  code.get(image).i32(RFLAGS.TF).op('i32.and', 'i32.eqz', 'i32.and');
  rflags(code.get(image)).op('i32.xor').i32(RFLAGS.AC).op('i32.and', 'i32.eqz', 'i32.and');
  code.i32(0).access('i32.load', internal('interruptRequest')).op('i32.eqz', 'i32.and').if();
  rflags(code.i32(0)).i32(~(popped | RFLAGS.RF)).op('i32.and').get(image).i32(popped).op('i32.and', 'i32.or').access('i32.store', state('rflags'));
  code.i32(0).i32(FLAGS.explicit).access('i32.store', internal('flagKind'));
  pushValue(code.i32(0), pointer).i64(8n).op('i64.add').access('i64.store', state('rsp'));
  next().end();
};

/** At level 0 with SMAP: the tags of the TLB tell whether it is lifted. */
const alignment = (set: boolean): FastOperation => ({ code, next }) => {
  isLevel0(code).i32(0).access('i32.load', state('cr4')).i32(CR4_SMAP).op('i32.and').i32(0).op('i32.ne', 'i32.and').if();
  rflags(code.i32(0)).i32(set ? RFLAGS.AC : ~RFLAGS.AC).op(set ? 'i32.or' : 'i32.and').access('i32.store', state('rflags'));
  code.i32(0).i64(set ? 0x20n : 0n).access('i64.store', internal('mode'));
  next().end();
};

export const fastOperations: Readonly<Partial<Record<string, FastOperation>>> = {
  clearInterrupts, setInterrupts, pushFlags, popFlags, setAlignment: alignment(true), clearAlignment: alignment(false),
};
