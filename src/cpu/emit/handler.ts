/** A builder that writes the interpreter's handler of one instruction: a function from its record to the next one. */

import type { Builder, Operand, Segment, Value, Width } from '../builder.ts';
import { internalOffset, RECORD, RECORD_BITS, RECORD_SIZE, STATE, stateOffset } from '../layout.ts';
import type { StateName } from '../registers.ts';
import { segmentRegisters } from '../state.ts';
import { unitMember, type Unit } from '../units.ts';
import { Code } from '../wasm/code.ts';
import { Access, GP, loads, record, stores, type Memory } from './access.ts';
import { fastOperations } from './fast-operations.ts';
import type { AddressForm, OperandShape, Shape } from './shape.ts';
import type { Functions } from './signatures.ts';
import { emitted, pushValue } from './value.ts';

type Register = {
  readonly kind: 'register'; readonly width: Width; readonly general: boolean; readonly mmx?: boolean; readonly stack?: boolean;
  readonly slot?: number; readonly place?: number; readonly number?: number | undefined;
};
type Immediate = { readonly kind: 'immediate'; readonly width: Width; readonly second: boolean };
type HandlerOperand = Memory | Register | Immediate;

const operandOf = (it: HandlerOperand): Operand => it;
const own = (operand: Operand): HandlerOperand => operand as HandlerOperand;

const at = (name: Parameters<typeof internalOffset>[0]): number => STATE + internalOffset(name);

/** How a handler goes on, with the address of the next record on the stack: one that is known to be none of 0, or any. */
export interface Onward {
  to(code: Code): Code;
  toAny(code: Code): Code;
}

/** A handler that is a function gives the next record. */
const returning: Onward = { to: (code) => code.op('return'), toAny: (code) => code.op('return') };

export class HandlerBuilder extends Access implements Builder {
  readonly operandSize: 16 | 32 | 64;
  readonly addressSize: 16 | 32 | 64;
  readonly repeat: 'rep' | 'repne' | undefined;
  readonly #onward: Onward;
  /** What is done at the end, in order, and last of all where it goes on. */
  #pending: (() => void)[] = [];
  #leaving: (() => void) | undefined;
  #ended = false;

  constructor(shape: Shape, functions: Functions, code: Code, onward: Onward) {
    super(code, functions, shape);
    this.#onward = onward;
    this.operandSize = shape.operandSize;
    this.addressSize = shape.addressSize;
    this.repeat = shape.repeat;
  }

  /** The handler of a shape, as a function or, with a way onward, as a part of one. */
  static build(shape: Shape, functions: Functions, code = new Code(1), onward = returning): Code {
    const builder = new HandlerBuilder(shape, functions, code, onward);
    builder.#requireUnit(shape.instruction.unit);
    const operands = shape.operands.map((operand) => builder.#operand(operand));
    shape.instruction.meaning(builder, ...operands as Operand[]);
    builder.#finish();
    return builder.code;
  }

  #finish(): void {
    for (const action of this.#pending) action();
    this.#leaving?.();
    if (!this.#ended) this.#next();
  }

  /** To the record behind this one, which is the next instruction's. */
  #next(): Code {
    return this.#onward.to(this.code.get(record).i32(RECORD_SIZE).op('i32.add'));
  }

  /** The fault that a use of the unit is now comes before all others. */
  #requireUnit(unit: Unit | undefined): void {
    if (unit === undefined) return;
    const { code } = this;
    const vector = code.local('i32');
    code.i32(0).access('i32.load8_u', at(unitMember[unit])).tee(vector).if();
    this.raise((each) => each.get(vector)).end();
  }

  #operand(shape: OperandShape): HandlerOperand {
    switch (shape.kind) {
      case 'register':
        return {
          kind: 'register', width: shape.width, general: shape.bank === 'general', mmx: shape.bank === 'mmx', stack: shape.bank === 'st',
          slot: RECORD.registers[shape.slot] as number, number: shape.number,
        };
      case 'immediate':
        return { kind: 'immediate', width: shape.width, second: shape.second };
      case 'memory': {
        const segment = shape.form === 'general' || shape.form === 'absolute' ? 'operand' : 'none';
        return { kind: 'memory', width: shape.width as Width, offset: this.#offset(shape.form), segment };
      }
      default:
        return shape satisfies never;
    }
  }

  #offset(form: AddressForm): Value {
    if (form === 'absolute') return this.keep(64, (code) => code.get(record).access('i64.load', RECORD.immediate));
    if (form === 'general') return this.keep(64, (code) => code.get(record).call(this.functions.runtime('address')));
    const register = (code: Code, slot: number): Code => code.get(record).access('i32.load16_u', slot).access('i64.load', STATE);
    return this.keep(64, (code) => {
      register(code, RECORD.base).get(record).access('i64.load32_s', RECORD.displacement).op('i64.add');
      if (form === 'index') register(code, RECORD.index).get(record).access('i64.load8_u', RECORD.scale).op('i64.shl', 'i64.add');
    });
  }

  register(number: number, width: Width): Operand {
    return operandOf({ kind: 'register', width, general: true, place: 8 * number });
  }

  aligned(operand: Operand): Operand {
    const it = own(operand);
    return it.kind === 'memory' ? operandOf({ ...it, aligned: true }) : operand;
  }

  state(name: StateName, width: Width): Operand {
    return operandOf({ kind: 'register', width, general: false, place: stateOffset(name) });
  }

  number(operand: Operand): Value {
    const { slot, number, place = 0, stack } = own(operand) as Register;
    if (number !== undefined || slot === undefined) return this.constant(64, number ?? place / 8);
    // General registers have 8 bytes, those of the x87 stack 16.
    const [first, shift] = stack === true ? [stateOffset('st0Low'), 4n] as const : [0, 3n] as const;
    return this.keep(64, (code) => code.get(record).access('i64.load16_u', slot).i64(BigInt(first)).op('i64.sub').i64(shift).op('i64.shr_u'));
  }

  segment(operand?: Operand): Value {
    const segment = operand === undefined ? 'data' : (own(operand) as Memory).segment;
    const named = segmentRegisters.indexOf(segment as Segment);
    return named >= 0 ? this.constant(64, named) : this.keep(64, (code) => code.get(record).access('i64.load8_u', RECORD.segment));
  }

  at(segment: Segment | 'data', offset: Value, width: Width): Operand {
    return operandOf({ kind: 'memory', width, offset, segment });
  }

  field(operand: Operand, bytes: number, width: Width): Operand {
    return this.#moved(own(operand) as Memory, this.constant(64, bytes), width);
  }

  displaced(operand: Operand, offset: Value): Operand {
    return this.#moved(own(operand) as Memory, offset, operand.width);
  }

  #moved({ offset, segment }: Memory, by: Value, width: Width): Operand {
    return operandOf({ kind: 'memory', width, offset: this.#wrap(this.binary('add', offset, by)), segment });
  }

  address(operand: Operand): Value {
    return (own(operand) as Memory).offset;
  }

  #wrap(offset: Value): Value {
    return this.addressSize === 64 ? offset : this.binary('and', offset, this.constant(64, (1n << BigInt(this.addressSize)) - 1n));
  }

  get(operand: Operand): Value {
    const it = own(operand);
    switch (it.kind) {
      case 'register':
        return this.keep(it.width, (code) => this.#place(code, it).access(loads[it.width] as string, this.#base(it)));
      case 'immediate':
        return this.keep(it.width, (code) => code.get(record).access(loads[it.width] as string, it.second ? RECORD.displacement : RECORD.immediate));
      case 'memory':
        return this.load(this.host(it, 'slowRead'), it.width);
      default:
        return it satisfies never;
    }
  }

  modify(operand: Operand): Value {
    const it = own(operand);
    if (it.kind !== 'memory') return this.get(operand);
    it.host = this.host(it, 'slowModify');
    return this.load(it.host, it.width);
  }

  set(operand: Operand, value: Value): void {
    const it = own(operand);
    if (it.kind === 'immediate') throw new Error('an immediate is not written');
    if (it.width !== value.width) throw new Error(`${value.width} bits into ${it.width}`);
    if (it.kind === 'register') this.#pending.push(() => this.#setRegister(it, value));
    else this.store(it.host ?? this.host(it, 'slowWrite'), value);
  }

  /** Puts on the stack where a register is, less {@link #base}. */
  #place(code: Code, { slot }: Register): Code {
    return slot === undefined ? code.i32(0) : code.get(record).access('i32.load16_u', slot);
  }

  #base({ place = 0 }: Register): number {
    return STATE + place;
  }

  #setRegister(it: Register, value: Value): void {
    this.#place(this.code, it);
    const wide = it.general && it.width === 32 ? this.#pushWide(value) : value;
    if (wide !== undefined) pushValue(this.code, wide);
    this.code.access(it.general && it.width === 32 ? 'i64.store' : (stores[it.width] as string), this.#base(it));
    // What is written as MMX is a NaN to x87.
    if (it.mmx === true) this.#place(this.code, it).i32(0xffff).access('i32.store16', this.#base(it) + 8);
  }

  /** Puts 32 bits on the stack as 64. */
  #pushWide(value: Value): undefined {
    pushValue(this.code, value).op('i64.extend_i32_u');
    return undefined;
  }

  protected defer(action: () => void): void {
    this.#pending.push(action);
  }

  when(condition: Value, then: () => void): void {
    this.#pending.push(() => {
      const outer = this.#pending;
      this.#pending = [];
      pushValue(this.code, condition).if();
      then();
      for (const action of this.#pending) action();
      this.code.end();
      this.#pending = outer;
    });
  }

  finishIf(condition: Value): void {
    pushValue(this.code, condition).if();
    this.#next().end();
  }

  faultIf(condition: Value, vector: number, errorCode = 0): void {
    const { code } = this;
    const it = emitted(condition);
    if ('constant' in it && it.constant === 0n) return;
    pushValue(code, condition).if();
    this.raise((each) => each.i32(vector), errorCode).end();
  }

  /** RSP as far as pushes and pops count. */
  #stackPointer(offset: number): { whole: Value; within: Value; mask: Value } {
    const whole = this.get(this.register(4, 64));
    const moved = this.binary('add', whole, this.constant(64, offset));
    if (this.long) return { whole, within: moved, mask: this.constant(64, -1) };
    const mask = this.keep(64, (code) => code.i32(0).access('i64.load', at('stackMask')));
    return { whole, within: this.binary('and', moved, mask), mask };
  }

  #moveStack({ whole, mask }: { whole: Value; mask: Value }, within: Value): void {
    const pointer = this.long ? within : this.binary('or', this.binary('and', whole, this.unary('not', mask)), within);
    this.set(this.register(4, 64), pointer);
  }

  push(value: Value): void {
    const stack = this.#stackPointer(-value.width / 8);
    this.set(this.at('ss', stack.within, value.width), value);
    this.#moveStack(stack, stack.within);
  }

  pop(width: Width): Value {
    const stack = this.#stackPointer(0);
    const value = this.get(this.at('ss', stack.within, width));
    const moved = this.binary('add', stack.within, this.constant(64, width / 8));
    this.#moveStack(stack, this.long ? moved : this.binary('and', moved, stack.mask));
    return value;
  }

  release(bytes: Value): void {
    this.#pending.push(() => {
      const stack = this.#stackPointer(0);
      const moved = this.binary('add', stack.within, bytes);
      const outer = this.#pending;
      this.#pending = [];
      this.#moveStack(stack, this.long ? moved : this.binary('and', moved, stack.mask));
      for (const action of this.#pending) action();
      this.#pending = outer;
    });
  }

  nextRip(): Value {
    return this.keep(64, (code) => {
      code.i32(0).access('i64.load', at('pageBase'));
      code.get(record).access('i64.load16_u', RECORD.offset).op('i64.add').get(record).access('i64.load8_u', RECORD.length).op('i64.add');
    });
  }

  /** RIP is as wide as the operand, and outside of 64-bit mode within 32 bits. */
  #target(target: Value): Value {
    return this.long && this.operandSize === 64 ? target
      : this.binary('and', target, this.constant(64, this.operandSize === 16 ? 0xffff : 0xffffffff));
  }

  jump(target: Value): void {
    const rip = this.#target(target);
    if (this.long && this.operandSize === 64) {
      const unused = this.constant(64, 16);
      this.faultIf(this.compare('ne', this.binary('sar', this.binary('shl', rip, unused), unused), rip), GP);
    }
    this.#leaving = () => {
      this.#onward.toAny(pushValue(this.code.get(record), rip).call(this.functions.runtime('jump')));
    };
  }

  branch(distance: Operand, condition?: Value): void {
    this.#leaving = () => {
      const { code } = this;
      if (condition !== undefined) pushValue(code, condition).if();
      const next = code.local('i32');
      code.get(record).access('i32.load', RECORD.link).tee(next).if();
      this.#goTo(next).end();
      const target = this.#target(this.binary('add', this.nextRip(), this.signExtend(this.get(distance), 64)));
      pushValue(code.get(record), target).call(this.functions.runtime('jump')).set(next);
      // The next time it goes straight there; a failed jump gives 0, which is no link.
      code.get(record).access('i32.load8_u', RECORD.bits).i32(RECORD_BITS.local).op('i32.and').if();
      code.get(record).get(next).access('i32.store', RECORD.link).end();
      this.#onward.toAny(code.get(next));
      if (condition !== undefined) code.end();
    };
  }

  /** To a record of the page, without a call as long as there is fuel. */
  #goTo(next: number): Code {
    const { code } = this;
    const fuel = code.local('i32');
    const word = (name: Parameters<typeof internalOffset>[0]): Code => code.i32(0).access('i32.load', at(name));
    word('fuel').get(record);
    word('blockStart').op('i32.sub').i32(Math.log2(RECORD_SIZE)).op('i32.shr_u', 'i32.sub').i32(1).op('i32.sub').tee(fuel);
    word('floor').op('i32.gt_s').if();
    code.i32(0).get(fuel).access('i32.store', at('fuel')).i32(0).get(next).access('i32.store', at('blockStart'));
    this.#onward.to(code.get(next)).end();
    return this.#onward.toAny(code.get(record).get(next).call(this.functions.runtime('link')));
  }

  again(condition: Value): void {
    this.#pending.push(() => {
      pushValue(this.code, condition).if();
      this.#goTo(record).end();
    });
  }

  systemIf(condition: Value, operation: string, ...values: Value[]): void {
    pushValue(this.code, condition).if();
    this.#onward.toAny(this.#callSystem(operation, values)).end();
  }

  system(operation: string, ...values: Value[]): void {
    this.#onward.toAny(this.#callSystem(operation, values));
    this.#ended = true;
  }

  /** Does at once what an action puts off. */
  #complete(action: () => void): void {
    const outer = this.#pending;
    this.#pending = [];
    action();
    for (const each of this.#pending) each();
    this.#pending = outer;
  }

  #callSystem(operation: string, values: readonly Value[]): Code {
    const { code } = this;
    if (this.#pending.length > 0) throw new Error(`${operation}: the whole instruction is done outside`);
    fastOperations[operation]?.({
      code, builder: this, complete: (action) => this.#complete(action), next: () => this.#next(), arithmeticFlags: this.functions.runtime('flags'),
    });
    code.i32(this.functions.operation(operation)).get(record);
    for (let each = 0; each < 3; each++) pushValue(code, values[each] ?? this.constant(64, 0));
    return code.call(this.functions.runtime('system'));
  }
}
