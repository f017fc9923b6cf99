/**
 * Instructions one at a time, by their meaning on bigints: what every other use of the table is compared with. It has a processor's registers
 * and memory, and no cleverness: flags are computed at once, nothing is kept of what was decoded.
 */

import { RFLAGS, type AnyFlag, type Builder, type Condition, type FlagKind, type Operand, type Segment, type Value, type Width } from '../builder.ts';
import { decode, type CodeSize, type Decoded, type DecodedOperand, type Bank, type MemoryOperand, type RegisterOperand } from '../decode.ts';
import { GP, UD, type Processor } from '../system/processor.ts';
import { operationNumber, operations } from '../system/operations.ts';
import { SEGMENT, segmentName, type StateName } from '../registers.ts';
import { allowsAccess } from '../system/segment-access.ts';
import { unitFault } from '../units.ts';
import { cpuState, segmentRegisters } from '../state.ts';
import { bitsOf, ExactArithmetic, known } from './arithmetic.ts';

type Memory = { readonly kind: 'memory'; readonly width: Width; readonly offset: bigint; readonly segment: number; readonly aligned?: boolean };
type Own = (Omit<RegisterOperand, 'width' | 'bank'> & { readonly bank: Bank | 'state'; readonly width: Width }) | Memory | { readonly kind: 'immediate'; readonly width: Width; readonly value: bigint };

const own = (operand: Operand): Own => operand as unknown as Own;

/** Thrown by `finishIf`, caught around the meaning. */
const finished = Symbol('the instruction is over');

class ExactBuilder extends ExactArithmetic implements Builder {
  readonly operandSize: 16 | 32 | 64;
  readonly addressSize: 16 | 32 | 64;
  readonly long: boolean;
  readonly repeat: 'rep' | 'repne' | undefined;
  readonly #processor: Processor;
  readonly #decoded: Decoded;
  readonly #rip: bigint;
  #pending: (() => void)[] = [];

  constructor(processor: Processor, decoded: Decoded, rip: bigint) {
    super();
    this.operandSize = decoded.operandSize;
    this.addressSize = decoded.addressSize;
    this.long = processor.long;
    this.repeat = decoded.repeat;
    this.#processor = processor;
    this.#decoded = decoded;
    this.#rip = rip;
  }

  /** Does the instruction. RIP is the next one's already. @throws Fault of the processor's */
  run(): void {
    const operands = this.#decoded.operands.map((operand) => this.#operand(operand));
    try {
      this.#decoded.instruction.meaning(this, ...operands);
    } catch (error) {
      if (error !== finished) throw error;
      return;
    }
    this.#commit();
  }

  #commit(): void {
    const actions = this.#pending;
    this.#pending = [];
    for (const action of actions) {
      action();
      this.#commit();
    }
  }

  #operand(operand: DecodedOperand): Operand {
    if (operand.kind !== 'memory') return operand as unknown as Operand;
    const memory: Memory = {
      kind: 'memory', width: operand.width as Width, offset: this.#offset(operand), segment: segmentRegisters.indexOf(operand.segment),
    };
    return memory;
  }

  #offset({ base, index, scale, displacement }: MemoryOperand): bigint {
    const { registers } = this.#processor;
    const from = base === 'rip' ? this.#next() : base === undefined ? 0n : registers.general(base);
    const added = index === undefined ? 0n : registers.general(index) << BigInt(scale);
    return this.#wrap(from + added + displacement);
  }

  #wrap(offset: bigint): bigint {
    return BigInt.asUintN(this.addressSize, offset);
  }

  #next(): bigint {
    return BigInt.asUintN(this.long ? 64 : 32, this.#rip + BigInt(this.#decoded.length));
  }

  register(number: number, width: Width): Operand {
    return { kind: 'register', bank: 'general', number, width, high: false } as unknown as Operand;
  }

  aligned(operand: Operand): Operand {
    const it = own(operand);
    return it.kind === 'memory' ? { ...it, aligned: true } as Operand : operand;
  }

  state(name: StateName, width: Width): Operand {
    return { kind: 'register', bank: 'state', number: cpuState.fields[name].offset, width, high: false } as unknown as Operand;
  }

  number(operand: Operand): Value {
    const it = own(operand);
    if (it.kind !== 'register') throw new Error('only a register has a number');
    return known(64, BigInt(it.number));
  }

  segment(operand?: Operand): Value {
    const it = operand && own(operand);
    return known(64, BigInt(it?.kind === 'memory' ? it.segment : this.#dataSegment()));
  }

  #dataSegment(): number {
    return segmentRegisters.indexOf(this.#decoded.segment ?? 'ds');
  }

  at(segment: Segment | 'data', offset: Value, width: Width): Operand {
    const number = segment === 'data' ? this.#dataSegment() : segmentRegisters.indexOf(segment);
    return { kind: 'memory', width, offset: bitsOf(offset), segment: number } as Operand;
  }

  displaced(operand: Operand, offset: Value): Operand {
    return this.#moved(own(operand) as Memory, bitsOf(offset), operand.width);
  }

  field(operand: Operand, bytes: number, width: Width): Operand {
    return this.#moved(own(operand) as Memory, BigInt(bytes), width);
  }

  #moved({ offset, segment }: Memory, by: bigint, width: Width): Operand {
    return { kind: 'memory', width, offset: this.#wrap(offset + by), segment } as Operand;
  }

  address(operand: Operand): Value {
    return known(64, (own(operand) as Memory).offset);
  }

  get(operand: Operand): Value {
    const it = own(operand);
    if (it.kind === 'immediate') return known(it.width, it.value);
    return known(it.width, it.kind === 'memory' ? this.#read(it) : this.#readRegister(it));
  }

  modify(operand: Operand): Value {
    const it = own(operand);
    if (it.kind === 'memory' && it.aligned === true) this.#requireAligned(it.segment, it.offset, it.width, true);
    if (it.kind === 'memory') this.#probe(it);
    return this.get(operand);
  }

  set(operand: Operand, value: Value): void {
    const it = own(operand);
    if (it.kind === 'immediate') throw new Error('an immediate is not written');
    if (it.width !== value.width) throw new Error(`${value.width} bits into ${it.width}`);
    if (it.kind === 'memory') this.#write(it, bitsOf(value));
    else this.#pending.push(() => this.#writeRegister(it, bitsOf(value)));
  }

  #read({ segment, offset, width, aligned }: Memory): bigint {
    if (aligned === true) this.#requireAligned(segment, offset, width, false);
    if (width <= 64) return this.#processor.readSegment(segment, offset, width / 8);
    // That there is no address for its end comes before what the first half lacks.
    if (this.long && offset < 1n << 47n && offset + 16n > 1n << 47n) this.#processor.readSegment(segment, offset + 8n, 8);
    return this.#processor.readSegment(segment, offset, 8) | (this.#processor.readSegment(segment, offset + 8n, 8) << 64n);
  }

  #write({ segment, offset, width, aligned }: Memory, bits: bigint): void {
    if (aligned === true) this.#requireAligned(segment, offset, width, true);
    if (width <= 64) {
      this.#processor.writeSegment(segment, offset, width / 8, bits);
      return;
    }
    // Both halves or nothing.
    this.#probe({ kind: 'memory', segment, offset, width: 64 });
    this.#probe({ kind: 'memory', segment, offset: offset + 8n, width: 64 });
    this.#processor.writeSegment(segment, offset, 8, BigInt.asUintN(64, bits));
    this.#processor.writeSegment(segment, offset + 8n, 8, bits >> 64n);
  }

  #requireAligned(segment: number, offset: bigint, width: Width, write: boolean): void {
    if (!this.long && !allowsAccess(this.#processor.registers.segment(segmentName(segment)), Number(offset), width / 8, write)) this.#processor.bytesAt(segment, offset, width / 8, write);
    const base = this.long && segment < 4 ? 0n : this.#processor.registers.wide(`${segmentRegisters[segment] as 'es'}Base`);
    const linear = base + offset;
    // An address that is none is the access's to tell.
    const canonical = !this.long || BigInt.asUintN(64, BigInt.asIntN(48, linear)) === BigInt.asUintN(64, linear);
    if (canonical && linear % BigInt(width / 8) !== 0n) this.#processor.fault(GP);
  }

  /** Faults as a write does, by writing what is there. */
  #probe(memory: Memory): void {
    const bytes = memory.width / 8;
    const first = BigInt(Math.min(bytes, 8));
    for (const at of new Set([0n, BigInt(bytes) - first])) {
      this.#processor.writeSegment(memory.segment, memory.offset + at, Number(first), this.#unchecked(memory.segment, memory.offset + at, Number(first)));
    }
  }

  #unchecked(segment: number, offset: bigint, bytes: number): bigint {
    const base = this.long && segment < 4 ? 0n : this.#processor.registers.wide(`${segmentRegisters[segment] as 'es'}Base`);
    const toNextPage = 4096n - ((base + offset) & 4095n);
    // That there is no address for the second page comes before what the first one lacks. A page that can be written to can be read.
    const ends = toNextPage < BigInt(bytes) && this.long && base + offset + toNextPage === 1n << 47n;
    if (!ends) this.#processor.bytesAt(segment, offset, 1, true);
    if (toNextPage < BigInt(bytes)) this.#processor.bytesAt(segment, offset + toNextPage, 1, true);
    return this.#processor.readSegment(segment, offset, bytes);
  }

  #place({ bank, number, high }: Own & { kind: 'register' }): number {
    const { fields } = cpuState;
    switch (bank) {
      case 'general': return 8 * number + (high ? 1 : 0);
      case 'state': return number;
      case 'xmm': return fields.xmm0Low.offset + 16 * number;
      case 'segment': return fields.esSelector.offset + 16 * number;
      case 'control': return fields[`cr${number}` as 'cr0'].offset;
      case 'debug': return fields.dr0.offset + 8 * Math.min(number, 5);
      default: return fields.st0Low.offset + 16 * number;
    }
  }

  #readRegister(operand: Own & { kind: 'register' }): bigint {
    const { view } = this.#processor.registers;
    let bits = 0n;
    for (let at = operand.width / 8 - 1; at >= 0; at--) bits = (bits << 8n) | BigInt(view.getUint8(this.#place(operand) + at));
    return bits;
  }

  #writeRegister(operand: Own & { kind: 'register' }, bits: bigint): void {
    const { view } = this.#processor.registers;
    const width = operand.bank === 'general' && operand.width === 32 ? 64 : operand.width;
    for (let at = 0; at < width / 8; at++) view.setUint8(this.#place(operand) + at, Number((bits >> BigInt(8 * at)) & 0xffn));
    // What is written as MMX is a NaN to x87.
    if (operand.bank === 'mmx') view.setUint16(this.#place(operand) + 8, 0xffff, true);
  }

  flag(flag: AnyFlag): Value {
    return known(1, this.#processor.flags() & RFLAGS[flag] ? 1n : 0n);
  }

  condition(condition: Condition): Value {
    const flags = this.#processor.flags();
    const has = (bit: number): boolean => (flags & bit) !== 0;
    const less = has(RFLAGS.SF) !== has(RFLAGS.OF);
    const holds: Readonly<Record<Condition, boolean>> = {
      o: has(RFLAGS.OF), no: !has(RFLAGS.OF), b: has(RFLAGS.CF), ae: !has(RFLAGS.CF), e: has(RFLAGS.ZF), ne: !has(RFLAGS.ZF),
      be: has(RFLAGS.CF) || has(RFLAGS.ZF), a: !has(RFLAGS.CF) && !has(RFLAGS.ZF), s: has(RFLAGS.SF), ns: !has(RFLAGS.SF), p: has(RFLAGS.PF), np: !has(RFLAGS.PF),
      l: less, ge: !less, le: less || has(RFLAGS.ZF), g: !less && !has(RFLAGS.ZF),
    };
    return known(1, holds[condition] ? 1n : 0n);
  }

  flags(kind: FlagKind, x: Value, y: Value, result: Value): void {
    const [a, b, r] = [bitsOf(x), bitsOf(y), bitsOf(result)];
    const sign = (value: bigint): boolean => (value >> BigInt(x.width - 1)) === 1n;
    const adds = kind === 'add' || kind === 'inc';
    const subtracts = kind === 'sub' || kind === 'dec';
    const parity = (r & 0xffn).toString(2).replaceAll('0', '').length % 2 === 0;
    const carry = kind === 'add' ? r < a : kind === 'sub' ? a < b : false;
    const overflow = adds ? sign(a) === sign(b) && sign(r) !== sign(a) : subtracts && sign(a) !== sign(b) && sign(r) !== sign(a);
    const all: Record<string, boolean> = { PF: parity, AF: kind !== 'logic' && ((a ^ b ^ r) & 0x10n) !== 0n, ZF: r === 0n, SF: sign(r), OF: overflow };
    if (kind !== 'inc' && kind !== 'dec') all['CF'] = carry;
    this.setFlags(Object.fromEntries(Object.entries(all).map(([name, value]) => [name, known(1, value ? 1n : 0n)])));
  }

  flagsOf(result: Value, given: Partial<Record<'CF' | 'AF' | 'OF', Value>>): void {
    const bits = bitsOf(result);
    const ones = (bits & 0xffn).toString(2).replaceAll('0', '').length;
    const flag = (set: boolean): Value => known(1, set ? 1n : 0n);
    const sign = bits >> BigInt(result.width - 1);
    this.setFlags({ CF: flag(false), AF: flag(false), OF: flag(false), ...given, ZF: flag(bits === 0n), SF: flag(sign === 1n), PF: flag(ones % 2 === 0) });
  }

  setFlags(flags: Partial<Record<AnyFlag, Value>>): void {
    this.#pending.push(() => {
      let word = this.#processor.flags();
      for (const [name, value] of Object.entries(flags)) {
        const bit = RFLAGS[name as AnyFlag];
        word = bitsOf(value) === 1n ? word | bit : word & ~bit;
      }
      this.#processor.setFlags(word);
    });
  }

  when(condition: Value, then: () => void): void {
    if (bitsOf(condition) === 1n) this.#pending.push(then);
  }

  finishIf(condition: Value): void {
    if (bitsOf(condition) === 1n) throw finished;
  }

  faultIf(condition: Value, vector: number, errorCode = 0): void {
    if (bitsOf(condition) === 1n) this.#processor.fault(vector, errorCode);
  }

  /** How far the stack counts: 64 bits, or as SS says. */
  #stackWidth(): number {
    return this.long ? 64 : this.#processor.registers.number('ssAttributes') & SEGMENT.big ? 32 : 16;
  }

  #moveStack(by: bigint): void {
    const { registers } = this.#processor;
    const width = this.#stackWidth();
    const whole = registers.general(4);
    const within = BigInt.asUintN(width, whole + by);
    registers.setGeneral(4, (whole & ~((1n << BigInt(width)) - 1n)) | within);
  }

  push(value: Value): void {
    const bytes = BigInt(value.width / 8);
    const offset = BigInt.asUintN(this.#stackWidth(), this.#processor.registers.general(4) - bytes);
    this.#write({ kind: 'memory', width: value.width, offset, segment: 2 }, bitsOf(value));
    this.#pending.push(() => this.#moveStack(-bytes));
  }

  pop(width: Width): Value {
    const offset = BigInt.asUintN(this.#stackWidth(), this.#processor.registers.general(4));
    const value = known(width, this.#read({ kind: 'memory', width, offset, segment: 2 }));
    this.#pending.push(() => this.#moveStack(BigInt(width / 8)));
    return value;
  }

  release(bytes: Value): void {
    this.#pending.push(() => this.#moveStack(bitsOf(bytes)));
  }

  nextRip(): Value {
    return known(64, this.#next());
  }

  jump(target: Value): void {
    const rip = this.long && this.operandSize === 64 ? bitsOf(target) : BigInt.asUintN(this.operandSize === 16 ? 16 : 32, bitsOf(target));
    if (this.long && BigInt.asUintN(64, BigInt.asIntN(48, rip)) !== rip) this.#processor.fault(GP, 0);
    this.#pending.push(() => this.#processor.registers.setWide('rip', rip));
  }

  branch(distance: Operand, condition?: Value): void {
    if (condition === undefined || bitsOf(condition) === 1n) this.jump(known(64, this.#next() + BigInt.asIntN(64, bitsOf(this.get(distance)))));
  }

  again(condition: Value): void {
    if (bitsOf(condition) === 1n) this.#pending.push(() => this.#processor.registers.setWide('rip', this.#rip));
  }

  system(operation: string, ...values: Value[]): void {
    const [a = 0n, b = 0n, c = 0n] = values.map(bitsOf);
    this.#processor.repeats = false;
    operations[operationNumber(operation)]?.run(this.#processor, a, b, c);
    if (this.#processor.repeats) this.#processor.registers.setWide('rip', this.#rip);
  }

  systemIf(condition: Value, operation: string, ...values: Value[]): void {
    if (bitsOf(condition) !== 1n) return;
    this.system(operation, ...values);
    throw finished;
  }
}

/**
 * Does the instruction at RIP.
 * @param bytes what is there, up to 15 bytes
 * @throws Fault of the processor's: RIP is the instruction's, and nothing else has changed
 */
export function execute(processor: Processor, bytes: Uint8Array, size: CodeSize): void {
  const { registers } = processor;
  const rip = registers.wide('rip');
  const decoded = decode(bytes, size);
  if (decoded === 'long') processor.fault(GP, 0);
  if (decoded === 'short' || decoded === 'invalid') processor.fault(UD);
  const next = rip + BigInt(decoded.length);
  registers.setWide('rip', BigInt.asUintN(processor.long ? 64 : 32, next));
  try {
    const { unit } = decoded.instruction;
    const vector = unit === undefined ? 0 : unitFault(registers, unit);
    if (vector !== 0) processor.fault(vector);
    new ExactBuilder(processor, decoded, rip).run();
  } catch (error) {
    registers.setWide('rip', rip);
    throw error;
  }
}


