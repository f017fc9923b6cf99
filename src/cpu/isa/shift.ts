/** Shifts and rotations (SDM volume 1, 5.1.5). A count of 0 leaves all flags as they are. */

import type { Builder, Operand, Value } from '../builder.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';

/** CL or the immediate, as far as it counts: five bits, six for 64. */
function countOf(b: Builder, operand: Operand, width: number): Value {
  return b.binary('and', b.zeroExtend(b.get(operand), 64), b.constant(64, width === 64 ? 63 : 31));
}

const lowest = (b: Builder, x: Value): Value => b.truncate(x, 1);
const bitAt = (b: Builder, x: Value, place: number): Value => lowest(b, b.binary('shr', x, b.constant(x.width, place)));
const top = (b: Builder, x: Value): Value => bitAt(b, x, x.width - 1);
const differ = (b: Builder, x: Value, y: Value): Value => b.binary('xor', x, y);
const wide = (b: Builder, x: Value): Value => b.zeroExtend(x, 64);
const sum = (b: Builder, x: Value, y: number): Value => b.binary('add', x, b.constant(64, y));
/** So many less the count; for a count of 0, when nothing is done with it, any number that can be shifted by. */
const rest = (b: Builder, whole: number, count: Value): Value => b.binary('and', b.binary('sub', b.constant(64, whole), count), b.constant(64, 63));

/** What a shift has done: the result, the last bit that left it, and OF. */
interface Shifted {
  readonly result: Value;
  readonly carry: Value;
  readonly overflow: Value;
}

type Shift = (b: Builder, x: Value, count: Value) => Shifted;

const shl: Shift = (b, x, count) => {
  const whole = b.binary('shl', wide(b, x), count);
  const result = b.truncate(whole, x.width);
  const carry = x.width === 64 ? lowest(b, b.binary('shr', x, rest(b, 64, count))) : bitAt(b, whole, x.width);
  return { result, carry, overflow: differ(b, top(b, result), carry) };
};

/** The bit before the last shift. */
const lastOut = (b: Builder, x: Value, count: Value): Value => lowest(b, b.binary('shr', x, b.binary('and', sum(b, count, -1), b.constant(64, 63))));

const shr: Shift = (b, x, count) => (
  { result: b.truncate(b.binary('shr', wide(b, x), count), x.width), carry: lastOut(b, wide(b, x), count), overflow: top(b, x) }
);

const sar: Shift = (b, x, count) => {
  const signed = b.signExtend(x, 64);
  const carry = lowest(b, b.binary('sar', signed, b.binary('and', sum(b, count, -1), b.constant(64, 63))));
  return { result: b.truncate(b.binary('sar', signed, count), x.width), carry, overflow: b.constant(1, 0) };
};

/** Of a narrow value the rotation goes by the count modulo its width. */
const rotation = (b: Builder, x: Value, count: Value): Value => b.truncate(b.binary('and', count, b.constant(64, x.width - 1)), x.width);

const rol: Shift = (b, x, count) => {
  const result = b.binary('rotl', x, rotation(b, x, count));
  const carry = lowest(b, result);
  return { result, carry, overflow: differ(b, top(b, result), carry) };
};

const ror: Shift = (b, x, count) => {
  const result = b.binary('rotr', x, rotation(b, x, count));
  return { result, carry: top(b, result), overflow: differ(b, top(b, result), bitAt(b, result, x.width - 2)) };
};

/** Through CF: one bit more than the operand has, so narrow ones go round after 9 and 17. */
const throughCarry = (left: boolean): Shift => (b, x, count) => {
  const bits = x.width + 1;
  const turns = x.width < 32 ? b.call('rem_u', count, b.constant(64, bits)) : count;
  const carryIn = wide(b, b.flag('CF'));
  const none = b.compare('eq', turns, b.constant(64, 0));
  const value = wide(b, x);
  // Left by so many is right by the others; of 65 bits, those that come in are put together from two parts.
  const right = left ? b.binary('sub', b.constant(64, bits), turns) : turns;
  let turned: Value;
  let carry: Value;
  if (x.width === 64) {
    const step = b.binary('and', sum(b, turns, -1), b.constant(64, 63));
    const back = b.binary('and', b.binary('sub', b.constant(64, 64), turns), b.constant(64, 63));
    const one = b.constant(64, 1);
    const [out, into] = left ? ['shl', 'shr'] as const : ['shr', 'shl'] as const;
    const moved = b.binary(out, b.binary(out, value, step), one);
    const entering = b.binary(into, b.binary(into, value, one), back);
    const carried = left ? b.binary('shl', carryIn, step) : b.binary('shl', carryIn, back);
    turned = b.binary('or', b.binary('or', moved, entering), carried);
    carry = lowest(b, b.binary('shr', value, left ? back : step));
  } else {
    const all = b.binary('or', value, b.binary('shl', carryIn, b.constant(64, x.width)));
    const both = b.binary('or', b.binary('shr', all, b.binary('and', right, b.constant(64, 63))), b.binary('shl', all, rest(b, bits, right)));
    turned = both;
    carry = bitAt(b, both, x.width);
  }
  const result = b.select(none, x, b.truncate(turned, x.width));
  const overflow = left ? differ(b, top(b, result), b.select(none, b.flag('CF'), carry)) : differ(b, top(b, result), bitAt(b, result, x.width - 2));
  return { result, carry: b.select(none, b.flag('CF'), carry), overflow };
};

/** @param all shifts set the flags of their result too, rotations do not */
const by = (shift: Shift, all: boolean): Meaning => (b, dst, amount) => {
  const x = b.modify(dst as Operand);
  const count = countOf(b, amount as Operand, x.width);
  const { result, carry, overflow } = shift(b, x, count);
  b.set(dst as Operand, result);
  const flags = { CF: carry, OF: overflow };
  b.when(b.compare('ne', count, b.constant(64, 0)), () => (all ? b.flagsOf(result, flags) : b.setFlags(flags)));
};

/** SHLD and SHRD: bits come in from the second operand. Of 16 bits, those of a count beyond 16 come from it once more, and CF is 0: undefined, and what silicon does. */
const double = (left: boolean): Meaning => (b, dst, src, amount) => {
  const x = b.modify(dst as Operand);
  const y = b.get(src as Operand);
  const { width } = x;
  const count = countOf(b, amount as Operand, width);
  const { result, carry: out } = width === 64 ? doubleWide(b, x, y, count, left) : doubleNarrow(b, x, y, count, left);
  const carry = width === 16 ? b.binary('and', out, b.compare('leU', count, b.constant(64, 16))) : out;
  const shifted = b.select(b.compare('eq', count, b.constant(64, 0)), x, result);
  b.set(dst as Operand, shifted);
  const flags = { CF: carry, OF: differ(b, top(b, x), top(b, shifted)) };
  b.when(b.compare('ne', count, b.constant(64, 0)), () => b.flagsOf(shifted, flags));
};

function doubleWide(b: Builder, x: Value, y: Value, count: Value, left: boolean): { result: Value; carry: Value } {
  const back = rest(b, 64, count);
  return left
    ? { result: b.binary('or', b.binary('shl', x, count), b.binary('shr', y, back)), carry: lowest(b, b.binary('shr', x, back)) }
    : { result: b.binary('or', b.binary('shr', x, count), b.binary('shl', y, back)), carry: lastOut(b, x, count) };
}

function doubleNarrow(b: Builder, x: Value, y: Value, count: Value, left: boolean): { result: Value; carry: Value } {
  const { width } = x;
  const place = (value: Value, at: number): Value => b.binary('shl', wide(b, value), b.constant(64, at));
  const join = (high: Value, low: Value): Value => b.binary('or', place(high, width), wide(b, low));
  if (left) {
    const parts = width === 16 ? b.binary('or', place(join(x, y), 16), wide(b, y)) : join(x, y);
    const size = width === 16 ? 48 : 64;
    const moved = b.binary('shl', parts, count);
    const out = b.binary('shr', parts, rest(b, size, count));
    return { result: b.truncate(b.binary('shr', moved, b.constant(64, size - width)), width), carry: lowest(b, out) };
  }
  const right = width === 16 ? b.binary('or', place(y, 32), join(y, x)) : join(y, x);
  return { result: b.truncate(b.binary('shr', right, count), width), carry: lastOut(b, right, count) };
}

const group: readonly (readonly [string, Shift, boolean, number])[] = [
  ['ROL', rol, false, 0], ['ROR', ror, false, 1], ['RCL', throughCarry(true), false, 2], ['RCR', throughCarry(false), false, 3],
  ['SHL', shl, true, 4], ['SHR', shr, true, 5], ['SHL', shl, true, 6], ['SAR', sar, true, 7],
];

const byOne = (all: boolean): { undefinedFlags?: string } => (all ? { undefinedFlags: 'AF' } : {});
const byMany = (all: boolean): { undefinedFlags: string } => ({ undefinedFlags: all ? 'AF OF CF' : 'OF' });

export const shift: readonly Instruction[] = [
  ...group.flatMap(([name, operation, all, number]) => [
    instruction(name, `C0 /${number}`, 'Eb,Ib', by(operation, all), byMany(all)), instruction(name, `C1 /${number}`, 'Ev,Ib', by(operation, all), byMany(all)),
    instruction(name, `D0 /${number}`, 'Eb,1', by(operation, all), byOne(all)), instruction(name, `D1 /${number}`, 'Ev,1', by(operation, all), byOne(all)),
    instruction(name, `D2 /${number}`, 'Eb,CL', by(operation, all), byMany(all)), instruction(name, `D3 /${number}`, 'Ev,CL', by(operation, all), byMany(all)),
  ]),
  instruction('SHLD', '0F A4 /r', 'Ev,Gv,Ib', double(true), { undefinedFlags: 'AF OF' }), instruction('SHLD', '0F A5 /r', 'Ev,Gv,CL', double(true), { undefinedFlags: 'AF OF' }),
  instruction('SHRD', '0F AC /r', 'Ev,Gv,Ib', double(false), { undefinedFlags: 'AF OF' }), instruction('SHRD', '0F AD /r', 'Ev,Gv,CL', double(false), { undefinedFlags: 'AF OF' }),
];
