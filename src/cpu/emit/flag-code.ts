/** A builder's flags in emitted code: what is kept of an operation until somebody asks, and the asking. */

import { arithmeticFlags, RFLAGS, type AnyFlag, type Condition, type Flag, type FlagKind, type Value } from '../builder.ts';
import { FLAGS, internalOffset, STATE, stateOffset } from '../layout.ts';
import type { Code } from '../wasm/code.ts';
import { Arithmetic } from './arithmetic.ts';
import type { RuntimeFunction } from './signatures.ts';
import { pushValue } from './value.ts';

const at = (name: Parameters<typeof internalOffset>[0]): number => STATE + internalOffset(name);

export abstract class FlagCode extends Arithmetic {
  /** The number of a function of the runtime. */
  protected abstract runtimeFunction(name: RuntimeFunction): number;
  /** To be done at the instruction's end, in order. */
  protected abstract defer(action: () => void): void;

  flag(flag: AnyFlag): Value {
    if (flag === 'DF') {
      return this.keep(1, (code) => code.i32(0).access('i32.load', STATE + stateOffset('rflags')).i32(Math.log2(RFLAGS.DF)).op('i32.shr_u').i32(1).op('i32.and'));
    }
    if (flag === 'CF') return this.condition('b');
    if (flag === 'ZF') return this.condition('e');
    return this.keep(1, (code) => code.call(this.runtimeFunction('flags')).i32(Math.log2(RFLAGS[flag])).op('i32.shr_u').i32(1).op('i32.and'));
  }

  condition(condition: Condition): Value {
    const negated = condition.startsWith('n') || condition === 'ae' || condition === 'a' || condition === 'ge' || condition === 'g';
    const base = ({ no: 'o', ae: 'b', ne: 'e', a: 'be', ns: 's', np: 'p', ge: 'l', g: 'le' } as Record<string, Condition>)[condition] ?? condition;
    return this.keep(1, (code) => {
      this.#holds(code, base);
      if (negated) code.op('i32.eqz');
    });
  }

  /** What most often stands before a jump is decided here, without a call: whether a result is zero or negative, and what a subtraction compares. */
  #holds(code: Code, base: Condition): void {
    const ofResult = ({ e: 'i64.eq', s: 'i64.lt_s' } as Partial<Record<Condition, string>>)[base];
    const ofOperands = ({ b: 'i64.lt_u', be: 'i64.le_u', l: 'i64.lt_s', le: 'i64.le_s' } as Partial<Record<Condition, string>>)[base];
    const word = (name: 'flagX' | 'flagResult'): Code => code.i32(0).access('i64.load', at(name));
    const known = ofResult ?? ofOperands;
    if (known !== undefined) {
      code.i32(0).access('i32.load', at('flagKind'));
      if (ofResult === undefined) code.i32(FLAGS.sub).op('i32.eq');
      code.if('i32');
      if (ofResult === undefined) {
        // The second operand is what has been taken away.
        word('flagX');
        word('flagX');
        word('flagResult').op('i64.sub');
      } else {
        word('flagResult').i64(0n);
      }
      code.op(known).else();
    }
    code.call(this.runtimeFunction(`is_${base}`));
    if (known !== undefined) code.end();
  }

  flags(kind: FlagKind, x: Value, y: Value, result: Value): void {
    const counts = kind === 'inc' || kind === 'dec';
    const carry = counts ? this.condition('b') : undefined;
    this.defer(() => {
      const { code } = this;
      if (carry !== undefined) pushValue(code.i32(0), carry).access('i32.store', at('carry'));
      if (kind !== 'logic') this.#storeShifted('flagX', x);
      this.#storeShifted('flagResult', result);
      this.#storeKind(kind, x.width);
    });
    if (y.width !== x.width) throw new Error('flags of two widths');
  }

  /** And by how much the operands have been shifted. */
  #storeKind(kind: keyof typeof FLAGS, width: number): void {
    this.code.i32(0).i64(BigInt(FLAGS[kind]) | (BigInt(64 - width) << 32n)).access('i64.store', at('flagKind'));
  }

  /** With the top bit at bit 63. */
  #storeShifted(name: 'flagX' | 'flagResult', value: Value): void {
    const wide = this.zeroExtend(value, 64);
    pushValue(this.code.i32(0), wide);
    if (value.width < 64) this.code.i64(BigInt(64 - value.width)).op('i64.shl');
    this.code.access('i64.store', at(name));
  }

  flagsOf(result: Value, given: Partial<Record<'CF' | 'AF' | 'OF', Value>>): void {
    this.defer(() => {
      const { code } = this;
      code.i32(0).i32(0);
      for (const [flag, value] of Object.entries(given)) pushValue(code, value).i32(Math.log2(RFLAGS[flag as Flag])).op('i32.shl', 'i32.or');
      code.access('i32.store', at('carry'));
      this.#storeShifted('flagResult', result);
      this.#storeKind('given', result.width);
    });
  }

  setFlags({ DF, ...flags }: Partial<Record<AnyFlag, Value>>): void {
    if (DF !== undefined) this.defer(() => this.#setDirection(DF));
    if (Object.keys(flags).length > 0) this.#setArithmetic(flags);
  }

  #setDirection(direction: Value): void {
    const { code } = this;
    code.i32(0).i32(0).access('i32.load', STATE + stateOffset('rflags')).i32(~RFLAGS.DF).op('i32.and');
    pushValue(code, direction).i32(Math.log2(RFLAGS.DF)).op('i32.shl', 'i32.or').access('i32.store', STATE + stateOffset('rflags'));
  }

  #setArithmetic(flags: Partial<Record<Flag, Value>>): void {
    const entries = Object.entries(flags) as [Flag, Value][];
    const given = entries.reduce((sum, [flag]) => sum | RFLAGS[flag], 0);
    const rest = arithmeticFlags & ~given;
    this.defer(() => {
      const { code } = this;
      const word = (each: Code): Code => each.i32(0).access('i32.load', STATE + stateOffset('rflags'));
      word(code.i32(0)).i32(~arithmeticFlags).op('i32.and');
      if (rest !== 0) code.call(this.runtimeFunction('flags')).i32(rest).op('i32.and', 'i32.or');
      for (const [flag, value] of entries) pushValue(code, value).i32(Math.log2(RFLAGS[flag])).op('i32.shl', 'i32.or');
      code.access('i32.store', STATE + stateOffset('rflags')).i32(0).i32(FLAGS.explicit).access('i32.store', at('flagKind'));
    });
  }
}
