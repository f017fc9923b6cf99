/** A builder that writes many instructions into one function: what is known of an operand is in the code, general registers are locals. */

import type { Builder, Operand, Segment, Value, Width } from '../builder.ts';
import type { Decoded, DecodedOperand } from '../decode.ts';
import { GP, loads, stores } from '../emit/access.ts';
import { pushValue } from '../emit/value.ts';
import { placeOf } from '../interpreter/record.ts';
import { internalOffset, RECORD, SCRATCH, STATE, stateOffset } from '../layout.ts';
import type { StateName } from '../registers.ts';
import { segmentRegisters, type SegmentRegister } from '../state.ts';
import type { Unit } from '../units.ts';
import { RegionAccess } from './access.ts';
import { sameFlags, unknownFlags } from './flags.ts';
import { constantOf } from './folding.ts';
import type { Step } from './graph.ts';
import type { General, Memory, Member, RegionOperand } from './operand.ts';

/** Thrown by what only the interpreter does: operations of src/cpu/system, repeated strings. */
export class Unsupported extends Error {}

/** Where an instruction goes on, when it is not the next one. */
export type Leaving =
  | { readonly kind: 'branch'; readonly target: number; readonly condition: Value | undefined }
  | { readonly kind: 'jump'; readonly rip: Value };

const own = (operand: Operand): RegionOperand => operand as RegionOperand;
const at = (name: Parameters<typeof internalOffset>[0]): number => STATE + internalOffset(name);

export class RegionBuilder extends RegionAccess implements Builder {
  operandSize: 16 | 32 | 64 = 64;
  addressSize: 16 | 32 | 64 = 64;
  repeat: 'rep' | 'repne' | undefined;
  readonly units = new Set<Unit>();
  #decoded: Decoded | undefined;
  #offset = 0;
  #pending: (() => void)[] = [];
  #leaving: Leaving | undefined;
  /** Where a store has been made that may not have been to memory: a local. */
  #stored: number | undefined;

  /**
   * Writes one instruction.
   * @param record where its fault is told to come from
   * @param before instructions of its block that have not been counted yet
   * @returns where it goes on, if that is not behind it
   * @throws Unsupported
   */
  instruction({ offset, decoded, next }: Step, record: number, before: number): Leaving | undefined {
    this.code.nextInstruction();
    this.beginExits(record, before);
    this.operandSize = decoded.operandSize;
    this.addressSize = decoded.addressSize;
    this.repeat = decoded.repeat;
    this.#decoded = decoded;
    this.#offset = offset;
    this.#pending = [];
    this.#leaving = undefined;
    this.#stored = undefined;
    if (decoded.instruction.unit !== undefined) this.units.add(decoded.instruction.unit);
    const operands = decoded.operands.map((operand) => this.#operand(operand, offset + decoded.length));
    decoded.instruction.meaning(this, ...operands as Operand[]);
    for (const action of this.#pending) action();
    if (this.#stored !== undefined) this.#finishStore(this.#stored, next);
    return this.#leaving;
  }

  /** Not to memory, but to a device, across a page's end, or to code, perhaps to this region: then it is left. */
  #finishStore(host: number, next: number): void {
    const { code } = this;
    code.get(host).i32(SCRATCH).op('i32.eq').if().call(this.runtimeFunction('finishStore'));
    if (this.#leaving === undefined) {
      code.get(this.record).access('i32.load16_u', RECORD.handler).i32(this.self).op('i32.ne');
      code.get(this.fuel).i32(0).access('i32.load', at('floor')).op('i32.le_s', 'i32.or').if();
      this.leaveFor(next, 1);
      code.end();
    }
    code.end();
  }

  #operand(operand: DecodedOperand, next: number): RegionOperand {
    const width = operand.width as Width;
    switch (operand.kind) {
      case 'immediate':
        return { kind: 'immediate', width, value: this.constant(width, operand.value) };
      case 'memory':
        return { kind: 'memory', width, segment: operand.segment, offset: this.#offsetOf(operand, next) };
      case 'register': {
        const { bank, number, high } = operand;
        if (bank === 'general') return { kind: 'register', bank, width, number, high };
        return { kind: 'register', bank: bank === 'mmx' ? bank : 'state', width, number, place: placeOf(operand) };
      }
      default:
        return operand satisfies never;
    }
  }

  #offsetOf({ base, index, scale, displacement }: DecodedOperand & { kind: 'memory' }, next: number): Value {
    let sum: Value | undefined = base === 'rip' ? this.ripAt(next) : base === undefined ? undefined : this.#whole(base);
    if (index !== undefined) {
      const scaled = this.binary('shl', this.#whole(index), this.constant(64, scale));
      sum = sum === undefined ? scaled : this.binary('add', sum, scaled);
    }
    const fixed = this.constant(64, displacement);
    return this.#wrap(sum === undefined ? fixed : this.binary('add', sum, fixed));
  }

  #whole(number: number): Value {
    return this.get(this.register(number, 64));
  }

  #wrap(offset: Value): Value {
    return this.addressSize === 64 ? offset : this.binary('and', offset, this.constant(64, (1n << BigInt(this.addressSize)) - 1n));
  }

  register(number: number, width: Width): Operand {
    return { kind: 'register', bank: 'general', width, number, high: false } as General;
  }

  aligned(operand: Operand): Operand {
    const it = own(operand);
    return it.kind === 'memory' ? { ...it, aligned: true } as Memory : operand;
  }

  state(name: StateName, width: Width): Operand {
    const place = stateOffset(name);
    return { kind: 'register', bank: 'state', width, place, number: place / 8 } as Member;
  }

  number(operand: Operand): Value {
    return this.constant(64, (own(operand) as General | Member).number);
  }

  segment(operand?: Operand): Value {
    return this.constant(64, segmentRegisters.indexOf(operand === undefined ? this.#data : (own(operand) as Memory).segment));
  }

  get #data(): SegmentRegister {
    return this.#decoded?.segment ?? 'ds';
  }

  at(segment: Segment | 'data', offset: Value, width: Width): Operand {
    return { kind: 'memory', width, offset, segment: segment === 'data' ? this.#data : segment } as Memory;
  }

  field(operand: Operand, bytes: number, width: Width): Operand {
    return this.#moved(own(operand) as Memory, this.constant(64, bytes), width);
  }

  displaced(operand: Operand, offset: Value): Operand {
    return this.#moved(own(operand) as Memory, offset, operand.width);
  }

  #moved({ offset, segment }: Memory, by: Value, width: Width): Operand {
    return { kind: 'memory', width, segment, offset: this.#wrap(this.binary('add', offset, by)) } as Memory;
  }

  address(operand: Operand): Value {
    return (own(operand) as Memory).offset;
  }

  get(operand: Operand): Value {
    const it = own(operand);
    switch (it.kind) {
      case 'immediate': return it.value;
      case 'memory': return this.load(this.host(it, 'slowRead'), it.width);
      case 'register': return it.bank === 'general' ? this.#general(it) : this.keep(it.width, (code) => code.i32(0).access(loads[it.width] as string, STATE + it.place));
      default: return it satisfies never;
    }
  }

  /** A copy: the register may be set before the value is used. */
  #general({ number, width, high }: General): Value {
    const whole = this.keep(64, (code) => code.get(this.registers.local(number)));
    return this.truncate(high ? this.binary('shr', whole, this.constant(64, 8)) : whole, width);
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
    if (it.kind === 'memory') this.#store(it.host ?? this.host(it, 'slowWrite'), value);
    else this.#pending.push(() => (it.bank === 'general' ? this.#setGeneral(it, value) : this.#setMember(it, value)));
  }

  #setGeneral({ number, width, high }: General, value: Value): void {
    const local = this.registers.written(number);
    let whole = this.zeroExtend(value, 64);
    if (width < 32) {
      const place = high ? 8 : 0;
      const kept = this.keep(64, (code) => code.get(local).i64(~(((1n << BigInt(width)) - 1n) << BigInt(place))).op('i64.and'));
      whole = this.binary('or', kept, this.binary('shl', whole, this.constant(64, place)));
    }
    pushValue(this.code, whole).set(local);
  }

  #setMember({ bank, place, width }: Member, value: Value): void {
    pushValue(this.code.i32(0), value).access(stores[width] as string, STATE + place);
    // What is written as MMX is a NaN to x87.
    if (bank === 'mmx') this.code.i32(0).i32(0xffff).access('i32.store16', STATE + place + 8);
  }

  #store(host: number, value: Value): void {
    pushValue(this.code.get(host), value).access(stores[value.width] as string);
    this.#stored = host;
  }

  protected defer(action: () => void): void {
    this.#pending.push(action);
  }

  /** Does at once what an action puts off. */
  #complete(action: () => void): void {
    const outer = this.#pending;
    this.#pending = [];
    action();
    for (const each of this.#pending) each();
    this.#pending = outer;
  }

  when(condition: Value, then: () => void): void {
    const fixed = constantOf(condition);
    if (fixed === 0n) return;
    this.#pending.push(() => {
      if (fixed === 1n) {
        this.#complete(then);
        return;
      }
      this.settleFlags();
      const before = this.known;
      pushValue(this.code, condition).if();
      this.#complete(then);
      this.settleFlags();
      this.code.end();
      if (!sameFlags(before, this.known)) this.known = unknownFlags;
    });
  }

  finishIf(): void {
    throw new Unsupported();
  }

  faultIf(condition: Value, vector: number, errorCode = 0): void {
    if (constantOf(condition) === 0n) return;
    pushValue(this.code, condition).if();
    this.raise(vector, errorCode);
    this.code.end();
  }

  /** RSP as far as pushes and pops count. */
  #stackPointer(offset: number): { whole: Value; within: Value } {
    if (!this.long) this.wideStack = true;
    const whole = this.#whole(4);
    return { whole, within: this.#onStack(this.binary('add', whole, this.constant(64, offset))) };
  }

  #onStack(pointer: Value): Value {
    return this.long ? pointer : this.binary('and', pointer, this.constant(64, 0xffffffff));
  }

  /** Outside of 64-bit mode the upper half stays. */
  #moveStack(whole: Value, within: Value): void {
    const upper = this.constant(64, 0xffffffff00000000n);
    this.set(this.register(4, 64), this.long ? within : this.binary('or', this.binary('and', whole, upper), within));
  }

  push(value: Value): void {
    const { whole, within } = this.#stackPointer(-value.width / 8);
    this.set(this.at('ss', within, value.width), value);
    this.#moveStack(whole, within);
  }

  pop(width: Width): Value {
    const { whole, within } = this.#stackPointer(0);
    const value = this.get(this.at('ss', within, width));
    this.#moveStack(whole, this.#onStack(this.binary('add', within, this.constant(64, width / 8))));
    return value;
  }

  release(bytes: Value): void {
    this.#pending.push(() => this.#complete(() => {
      const { whole, within } = this.#stackPointer(0);
      this.#moveStack(whole, this.#onStack(this.binary('add', within, bytes)));
    }));
  }

  nextRip(): Value {
    return this.ripAt(this.#offset + (this.#decoded?.length ?? 0));
  }

  jump(target: Value): void {
    const whole = this.long && this.operandSize === 64;
    const rip = whole ? target : this.binary('and', target, this.constant(64, this.operandSize === 16 ? 0xffff : 0xffffffff));
    if (whole) {
      const unused = this.constant(64, 16);
      this.faultIf(this.compare('ne', this.binary('sar', this.binary('shl', rip, unused), unused), rip), GP);
    }
    this.#leaving = { kind: 'jump', rip };
  }

  branch(distance: Operand, condition?: Value): void {
    const bytes = constantOf(this.get(distance));
    if (bytes === undefined || this.operandSize === 16) throw new Unsupported();
    const target = this.#offset + (this.#decoded?.length ?? 0) + Number(BigInt.asIntN(distance.width, bytes));
    this.#leaving = { kind: 'branch', target, condition };
  }

  again(): void {
    throw new Unsupported();
  }

  system(): void {
    throw new Unsupported();
  }

  /** The interpreter does the instruction anew: nothing of it has been done. */
  systemIf(condition: Value): void {
    if (constantOf(condition) === 0n) return;
    pushValue(this.code, condition).if();
    this.leaveToInterpret();
    this.code.end();
  }
}
