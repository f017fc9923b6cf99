/**
 * Flags over a region: of the last operation that set them its kind, operands and result are kept in locals, and nearly always the kind is known while
 * translating, so that a comparison and its jump become one comparison. Whoever leaves the region writes them to where the interpreter has them.
 */

import { arithmeticFlags, RFLAGS, type AnyFlag, type Condition, type Flag, type FlagKind, type Value, type Width } from '../builder.ts';
import type { RuntimeFunction } from '../emit/signatures.ts';
import { pushValue, valueOf } from '../emit/value.ts';
import { FLAGS, internalOffset, STATE, stateOffset } from '../layout.ts';
import type { RegionCode } from './code.ts';
import { constantOf, FoldingArithmetic } from './folding.ts';

/** What is known of the flags where code is being written. */
export type KnownFlags =
  /** The locals tell it, or the interpreter's memory when `kind` is 0. */
  | { readonly kind: 'unknown' }
  /** All six stand in `bits`. */
  | { readonly kind: 'own' }
  /** `waiting`: of INC and DEC, whose CF is the one before them. Theirs are the locals for that; all others still tell of what came before. */
  | { readonly kind: FlagKind | 'given'; readonly width: Width; readonly waiting: boolean };

export const unknownFlags: KnownFlags = { kind: 'unknown' };

export const sameFlags = (a: KnownFlags, b: KnownFlags): boolean => a.kind === b.kind && (!('width' in a) || ('width' in b && a.width === b.width && a.waiting === b.waiting));

/** In the local `kind`, beside {@link FLAGS}: all flags stand in `bits`. Above `inc`, since its CF does as well. */
const OWN = 15;

const at = (name: Parameters<typeof internalOffset>[0]): number => STATE + internalOffset(name);

type Word = Partial<Record<Flag, Value>>;

export abstract class RegionFlags extends FoldingArithmetic {
  declare readonly code: RegionCode;
  known: KnownFlags = unknownFlags;
  readonly #x: number;
  readonly #y: number;
  readonly #result: number;
  /** A kind, and above it by how much the interpreter's operands are shifted, as the memory of both has it. */
  readonly #kind: number;
  /** CF (inc, dec), CF, AF and OF (given), or all, at their places in RFLAGS. */
  readonly #bits: number;
  readonly #waitingX: number;
  readonly #waitingResult: number;

  constructor(code: RegionCode) {
    super(code);
    const wide = (): number => code.lasting('i64');
    [this.#x, this.#y, this.#result, this.#kind, this.#waitingX, this.#waitingResult] = [wide(), wide(), wide(), wide(), wide(), wide()];
    this.#bits = code.lasting('i32');
  }

  protected abstract runtimeFunction(name: RuntimeFunction): number;
  /** To be done at the instruction's end, in order. */
  protected abstract defer(action: () => void): void;

  flag(flag: AnyFlag): Value {
    switch (flag) {
      case 'DF': return this.keep(1, (code) => code.i32(0).access('i32.load', STATE + stateOffset('rflags')).i32(Math.log2(RFLAGS.DF)).op('i32.shr_u').i32(1).op('i32.and'));
      case 'CF': return this.condition('b');
      case 'ZF': return this.condition('e');
      case 'SF': return this.condition('s');
      case 'PF': return this.condition('p');
      case 'OF': return this.condition('o');
      case 'AF': return this.#bitOf(this.#allFlags(), RFLAGS.AF);
      default: return flag satisfies never;
    }
  }

  condition(condition: Condition): Value {
    const negated = condition.startsWith('n') || condition === 'ae' || condition === 'a' || condition === 'ge' || condition === 'g';
    const base = ({ no: 'o', ae: 'b', ne: 'e', a: 'be', ns: 's', np: 'p', ge: 'l', g: 'le' } as Record<string, Condition>)[condition] ?? condition;
    const holds = this.#holds(base);
    const fixed = constantOf(holds);
    if (!negated) return holds;
    return fixed === undefined ? this.keep(1, (code) => pushValue(code, holds).op('i32.eqz')) : this.constant(1, 1n - fixed);
  }

  #holds(base: Condition): Value {
    if (this.known.kind === 'unknown') {
      if (base === 'b') return this.#carryByKind();
      return this.keep(1, (code) => {
        this.#toMemory();
        code.call(this.runtimeFunction(`is_${base}`));
      });
    }
    switch (base) {
      case 'o': return this.#overflow();
      case 'b': return this.#carry();
      case 'e': return this.#zero();
      case 's': return this.#sign();
      case 'p': return this.#parity();
      default:
    }
    const { kind } = this.known;
    if (kind === 'sub') return this.compare(({ be: 'leU', l: 'ltS', le: 'leS' } as const)[base as 'be' | 'l' | 'le'], this.#operand('x'), this.#operand('y'));
    if (kind === 'logic' && base === 'le') return this.compare('leS', this.#operand('result'), this.constant(this.#width, 0));
    if (base === 'be') return this.binary('or', this.#carry(), this.#zero());
    const less = this.binary('xor', this.#sign(), this.#overflow());
    return base === 'l' ? less : this.binary('or', less, this.#zero());
  }

  get #width(): Width {
    return 'width' in this.known ? this.known.width : 64;
  }

  /** The first or second operand, or the result, of the operation that is known. */
  #operand(which: 'x' | 'y' | 'result'): Value {
    const waiting = 'waiting' in this.known && this.known.waiting;
    if (which === 'y' && (this.known.kind === 'inc' || this.known.kind === 'dec')) return this.constant(this.#width, 1);
    const local = which === 'y' ? this.#y : which === 'x' ? (waiting ? this.#waitingX : this.#x) : waiting ? this.#waitingResult : this.#result;
    return this.truncate(valueOf({ width: 64, local }), this.#width);
  }

  #bitOf(word: Value, flag: number): Value {
    return this.truncate(this.binary('shr', word, this.constant(32, Math.log2(flag))), 1);
  }

  get #word(): Value {
    return valueOf({ width: 32, local: this.#bits });
  }

  #top(x: Value): Value {
    return this.compare('ltS', x, this.constant(x.width, 0));
  }

  #zero(): Value {
    if (this.known.kind === 'own') return this.#bitOf(this.#word, RFLAGS.ZF);
    return this.compare('eq', this.#operand('result'), this.constant(this.#width, 0));
  }

  #sign(): Value {
    return this.known.kind === 'own' ? this.#bitOf(this.#word, RFLAGS.SF) : this.#top(this.#operand('result'));
  }

  #parity(): Value {
    if (this.known.kind === 'own') return this.#bitOf(this.#word, RFLAGS.PF);
    const ones = this.unary('popcnt', this.zeroExtend(this.truncate(this.#operand('result'), 8), 32));
    return this.compare('eq', this.binary('and', ones, this.constant(32, 1)), this.constant(32, 0));
  }

  #carry(): Value {
    switch (this.known.kind) {
      case 'add': return this.compare('ltU', this.#operand('result'), this.#operand('x'));
      case 'sub': return this.compare('ltU', this.#operand('x'), this.#operand('y'));
      case 'logic': return this.constant(1, 0);
      case 'inc':
      case 'dec': return this.known.waiting ? this.#carryByKind() : this.#bitOf(this.#word, RFLAGS.CF);
      default: return this.#bitOf(this.#word, RFLAGS.CF);
    }
  }

  #overflow(): Value {
    const { kind } = this.known;
    if (kind === 'own' || kind === 'given') return this.#bitOf(this.#word, RFLAGS.OF);
    if (kind === 'logic') return this.constant(1, 0);
    const [x, y, result] = [this.#operand('x'), this.#operand('y'), this.#operand('result')];
    const other = kind === 'add' || kind === 'inc' ? this.binary('xor', y, result) : this.binary('xor', x, y);
    return this.#top(this.binary('and', this.binary('xor', x, result), other));
  }

  /** CF where only the locals know what set it: of what leaves it in `bits`, a bit; else the interpreter's way. */
  #carryByKind(): Value {
    return this.keep(1, (code) => {
      code.get(this.#kind).op('i32.wrap_i64').i32(FLAGS.inc).op('i32.ge_u').if('i32').get(this.#bits).i32(1).op('i32.and').else();
      this.#toMemory();
      code.call(this.runtimeFunction('is_b')).end();
    });
  }

  /** All six at their places, in 32 bits. */
  #allFlags(): Value {
    const { kind } = this.known;
    if (kind === 'own') return this.#word;
    if (kind === 'unknown') {
      return this.keep(32, (code) => {
        this.#toMemory();
        code.call(this.runtimeFunction('flags'));
      });
    }
    const common: Word = { ZF: this.#zero(), SF: this.#sign(), PF: this.#parity() };
    if (kind === 'given') return this.binary('or', this.#join(common), this.#word);
    if (kind === 'logic') return this.#join(common);
    const carries = this.binary('xor', this.binary('xor', this.#operand('x'), this.#operand('y')), this.#operand('result'));
    const AF = this.truncate(this.binary('shr', carries, this.constant(carries.width, 4)), 1);
    return this.#join({ ...common, AF, CF: this.#carry(), OF: this.#overflow() });
  }

  #join(flags: Word): Value {
    let word = this.constant(32, 0);
    for (const [flag, value] of Object.entries(flags) as [Flag, Value][]) {
      word = this.binary('or', this.binary('shl', this.zeroExtend(value, 32), this.constant(32, Math.log2(RFLAGS[flag]))), word);
    }
    return word;
  }

  flags(kind: FlagKind, x: Value, y: Value, result: Value): void {
    this.defer(() => {
      const { code } = this;
      const wait = (kind === 'inc' || kind === 'dec') && (this.known.kind === 'unknown' || ('waiting' in this.known && this.known.waiting));
      if (wait) {
        pushValue(code, this.zeroExtend(x, 64)).set(this.#waitingX);
        pushValue(code, this.zeroExtend(result, 64)).set(this.#waitingResult);
        this.known = { kind, width: x.width, waiting: true };
        return;
      }
      if (kind === 'inc' || kind === 'dec') pushValue(code, this.#carry()).set(this.#bits);
      pushValue(code, this.zeroExtend(x, 64)).set(this.#x);
      pushValue(code, this.zeroExtend(y, 64)).set(this.#y);
      pushValue(code, this.zeroExtend(result, 64)).set(this.#result);
      this.#setKind(FLAGS[kind], x.width);
      this.known = { kind, width: x.width, waiting: false };
    });
  }

  flagsOf(result: Value, given: Partial<Record<'CF' | 'AF' | 'OF', Value>>): void {
    this.defer(() => {
      pushValue(this.code, this.#join(given)).set(this.#bits);
      pushValue(this.code, this.zeroExtend(result, 64)).set(this.#result);
      this.#setKind(FLAGS.given, result.width);
      this.known = { kind: 'given', width: result.width, waiting: false };
    });
  }

  #setKind(kind: number, width: number): void {
    this.code.i64(BigInt(kind) | (BigInt(64 - width) << 32n)).set(this.#kind);
  }

  setFlags({ DF, ...flags }: Partial<Record<AnyFlag, Value>>): void {
    if (DF !== undefined) this.defer(() => this.#setDirection(DF));
    const given = Object.keys(flags).reduce((sum, flag) => sum | RFLAGS[flag as Flag], 0);
    if (given === 0) return;
    this.defer(() => {
      const rest = arithmeticFlags & ~given;
      const kept = rest === 0 ? this.constant(32, 0) : this.binary('and', this.#allFlags(), this.constant(32, rest));
      pushValue(this.code, this.binary('or', this.#join(flags), kept)).set(this.#bits);
      this.code.i64(BigInt(OWN)).set(this.#kind);
      this.known = { kind: 'own' };
    });
  }

  #setDirection(direction: Value): void {
    const { code } = this;
    code.i32(0).i32(0).access('i32.load', STATE + stateOffset('rflags')).i32(~RFLAGS.DF).op('i32.and');
    pushValue(code, direction).i32(Math.log2(RFLAGS.DF)).op('i32.shl', 'i32.or').access('i32.store', STATE + stateOffset('rflags'));
  }

  /** CF is found for who waits for it, so that the locals tell all. */
  settleFlags(): void {
    if (!('waiting' in this.known) || !this.known.waiting) return;
    const { code } = this;
    const { kind, width } = this.known;
    pushValue(code, this.#carryByKind()).set(this.#bits);
    code.get(this.#waitingX).set(this.#x).get(this.#waitingResult).set(this.#result).i64(1n).set(this.#y);
    this.#setKind(FLAGS[kind], width);
    this.known = { kind, width, waiting: false };
  }

  /** Writes what the locals tell to where the interpreter has its flags; nothing, when they have not been set since the region was entered. */
  #toMemory(): void {
    const { code } = this;
    const kind = (): RegionCode => code.get(this.#kind).op('i32.wrap_i64') as RegionCode;
    const shifted = (local: number): RegionCode => code.i32(0).get(local).get(this.#kind).i64(32n).op('i64.shr_u', 'i64.shl') as RegionCode;
    kind().if();
    kind().i32(OWN).op('i32.eq').if();
    code.i32(0).i32(0).access('i32.load', STATE + stateOffset('rflags')).i32(~arithmeticFlags).op('i32.and').get(this.#bits).op('i32.or');
    code.access('i32.store', STATE + stateOffset('rflags')).i32(0).i32(FLAGS.explicit).access('i32.store', at('flagKind'));
    code.else();
    shifted(this.#x).access('i64.store', at('flagX'));
    shifted(this.#result).access('i64.store', at('flagResult'));
    code.i32(0).get(this.#kind).access('i64.store', at('flagKind')).i32(0).get(this.#bits).access('i32.store', at('carry'));
    code.end().end();
  }

  /** As the last thing that a region does. Flags that wait have been settled. */
  flagsToMemory(): void {
    this.#toMemory();
  }
}
