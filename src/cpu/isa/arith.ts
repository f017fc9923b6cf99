/** Addition, subtraction, logic, multiplication and division of integers (SDM volume 1, 5.1.2 and 5.1.4). */

import type { Builder, FlagKind, Operand, Value, Width } from '../builder.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';

const DE = 0;

/** The second operand in the width of the first: an immediate is written shorter. */
function source(b: Builder, operand: Operand, width: Width): Value {
  const value = b.get(operand);
  return value.width === width ? value : b.signExtend(value, width);
}

type Operation = (b: Builder, x: Value, y: Value) => Value;

/** `dst = dst op src`, flags of a kind. */
const binary = (kind: FlagKind, operation: Operation): Meaning => (b, dst, src) => {
  const x = b.modify(dst as Operand);
  const y = source(b, src as Operand, x.width);
  const result = operation(b, x, y);
  b.set(dst as Operand, result);
  b.flags(kind, x, y, result);
};

/** As `binary`, and nothing is written. */
const test = (kind: FlagKind, operation: Operation): Meaning => (b, first, second) => {
  const x = b.get(first as Operand);
  const y = source(b, second as Operand, x.width);
  b.flags(kind, x, y, operation(b, x, y));
};

const add: Operation = (b, x, y) => b.binary('add', x, y);
const sub: Operation = (b, x, y) => b.binary('sub', x, y);
const and: Operation = (b, x, y) => b.binary('and', x, y);
const or: Operation = (b, x, y) => b.binary('or', x, y);
const xor: Operation = (b, x, y) => b.binary('xor', x, y);

const topBit = (b: Builder, x: Value): Value => b.truncate(b.binary('shr', x, b.constant(x.width, x.width - 1)), 1);

const bit = (b: Builder, x: Value, number: number): Value => b.truncate(b.binary('shr', x, b.constant(x.width, number)), 1);

/** With carry in, the carries out of all bits follow from operands and result: they are written out, since CF is an operand too. */
const withCarry = (operation: 'add' | 'sub'): Meaning => (b, dst, src) => {
  const x = b.modify(dst as Operand);
  const y = source(b, src as Operand, x.width);
  const carry = b.zeroExtend(b.flag('CF'), x.width);
  const result = b.binary(operation, b.binary(operation, x, y), carry);
  const not = (value: Value): Value => b.unary('not', value);
  // The carry (borrow) out of each bit.
  const [minuend, kept] = operation === 'add' ? [x, not(result)] : [not(x), result];
  const carries = or(b, and(b, minuend, y), and(b, or(b, minuend, y), kept));
  const overflow = operation === 'add' ? and(b, xor(b, x, result), xor(b, y, result)) : and(b, xor(b, x, y), xor(b, x, result));
  b.set(dst as Operand, result);
  b.flagsOf(result, { CF: topBit(b, carries), AF: bit(b, carries, 3), OF: topBit(b, overflow) });
};

/** The eight operations that share their encodings, in the order of these. */
const alu: readonly (readonly [string, Meaning, boolean])[] = [
  ['ADD', binary('add', add), true],
  ['OR', binary('logic', or), true],
  ['ADC', withCarry('add'), true],
  ['SBB', withCarry('sub'), true],
  ['AND', binary('logic', and), true],
  ['SUB', binary('sub', sub), true],
  ['XOR', binary('logic', xor), true],
  ['CMP', test('sub', sub), false],
];

const byte = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');

const aluForms: Instruction[] = alu.flatMap(([name, meaning, writes], number) => {
  const traits = writes ? { lock: true } : {};
  const undefinedFlags = /OR|AND/.test(name) ? { undefinedFlags: 'AF' } : {};
  const form = (encoding: string, operands: string): Instruction => instruction(name, encoding, operands, meaning, { ...traits, ...undefinedFlags });
  const first = 8 * number;
  return [
    form(`${byte(first)} /r`, 'Eb,Gb'), form(`${byte(first + 1)} /r`, 'Ev,Gv'), form(`${byte(first + 2)} /r`, 'Gb,Eb'), form(`${byte(first + 3)} /r`, 'Gv,Ev'),
    form(byte(first + 4), 'AL,Ib'), form(byte(first + 5), 'rAX,Iz'),
    form(`80 /${number}`, 'Eb,Ib'), form(`81 /${number}`, 'Ev,Iz'), { ...form(`82 /${number}`, 'Eb,Ib'), mode: 'legacy' }, form(`83 /${number}`, 'Ev,Is'),
  ];
});

const step = (kind: 'inc' | 'dec'): Meaning => (b, dst) => {
  const x = b.modify(dst as Operand);
  const one = b.constant(x.width, 1);
  const result = b.binary(kind === 'inc' ? 'add' : 'sub', x, one);
  b.set(dst as Operand, result);
  b.flags(kind, x, one, result);
};

const neg: Meaning = (b, dst) => {
  const x = b.modify(dst as Operand);
  const zero = b.constant(x.width, 0);
  const result = sub(b, zero, x);
  b.set(dst as Operand, result);
  b.flags('sub', zero, x, result);
};

const not: Meaning = (b, dst) => b.set(dst as Operand, b.unary('not', b.modify(dst as Operand)));

/** RAX and RDX (AL and AH for bytes) as the two halves of a double width. */
function halves(b: Builder, width: Width): { low: Operand; high: Operand } {
  return { low: b.register(0, width), high: b.register(2, width) };
}

/** The whole product of x and y as low and high half. */
function product(b: Builder, x: Value, y: Value, isSigned: boolean): { low: Value; high: Value } {
  if (x.width === 64) return { low: b.binary('mul', x, y), high: b.mulHigh(x, y, isSigned) };
  const extend = (value: Value): Value => (isSigned ? b.signExtend(value, 64) : b.zeroExtend(value, 64));
  const whole = b.binary('mul', extend(x), extend(y));
  return { low: b.truncate(whole, x.width), high: b.truncate(b.binary('shr', whole, b.constant(64, x.width)), x.width) };
}

/** CF and OF: the upper half says more than the lower one's sign. The rest is undefined. */
function productFlags(b: Builder, low: Value, high: Value, isSigned: boolean): void {
  const filler = isSigned ? b.binary('sar', low, b.constant(low.width, low.width - 1)) : b.constant(low.width, 0);
  const large = b.compare('ne', high, filler);
  b.flagsOf(low, { CF: large, OF: large });
}

const multiplyWide = (isSigned: boolean): Meaning => (b, src) => {
  const y = b.get(src as Operand);
  const { low: lowRegister, high: highRegister } = halves(b, y.width);
  const { low, high } = product(b, b.get(lowRegister), y, isSigned);
  if (y.width === 8) {
    b.set(b.register(0, 16), or(b, b.zeroExtend(low, 16), b.binary('shl', b.zeroExtend(high, 16), b.constant(16, 8))));
  } else {
    b.set(lowRegister, low);
    b.set(highRegister, high);
  }
  productFlags(b, low, high, isSigned);
};

const multiply: Meaning = (b, dst, src, factor) => {
  const first = b.get((factor === undefined ? dst : src) as Operand);
  const second = factor === undefined ? b.get(src as Operand) : source(b, factor, first.width);
  const { low, high } = product(b, first, second, true);
  b.set(dst as Operand, low);
  productFlags(b, low, high, true);
};

/** The quotient does not fit, or the divisor is zero: #DE, and nothing has changed. */
const divide = (isSigned: boolean): Meaning => (b, src) => {
  const divisor = b.get(src as Operand);
  const { width } = divisor;
  const { low, high } = halves(b, width);
  b.faultIf(b.compare('eq', divisor, b.constant(width, 0)), DE);
  if (width === 64) {
    const operands = [b.get(high), b.get(low), divisor];
    b.faultIf(b.truncate(b.call(isSigned ? 'divideOverflowsSigned' : 'divideOverflows', ...operands), 1), DE);
    b.set(low, b.call(isSigned ? 'quotientSigned' : 'quotient', ...operands));
    b.set(high, b.call(isSigned ? 'remainderSigned' : 'remainder', ...operands));
    return;
  }
  const extend = (value: Value): Value => (isSigned ? b.signExtend(value, 64) : b.zeroExtend(value, 64));
  const dividend = width === 8 ? extend(b.get(b.register(0, 16)))
    : extendFrom(b, or(b, b.zeroExtend(b.get(low), 64), b.binary('shl', b.zeroExtend(b.get(high), 64), b.constant(64, width))), 2 * width, isSigned);
  const wide = extend(divisor);
  // The one quotient of 64 bits that WebAssembly refuses: it does not fit here either.
  if (isSigned && width === 32) {
    const least = b.compare('eq', dividend, b.constant(64, 1n << 63n));
    b.faultIf(and(b, least, b.compare('eq', wide, b.constant(64, -1))), DE);
  }
  const quotient = b.call(isSigned ? 'div_s' : 'div_u', dividend, wide);
  const remainder = b.call(isSigned ? 'rem_s' : 'rem_u', dividend, wide);
  b.faultIf(b.compare('ne', extend(b.truncate(quotient, width)), quotient), DE);
  if (width === 8) {
    const both = or(b, b.zeroExtend(b.truncate(quotient, 8), 16), b.binary('shl', b.truncate(remainder, 16), b.constant(16, 8)));
    b.set(b.register(0, 16), both);
  } else {
    b.set(low, b.truncate(quotient, width));
    b.set(high, b.truncate(remainder, width));
  }
};

/** The lower `bits` of 64, extended to all of them. */
function extendFrom(b: Builder, value: Value, bits: number, isSigned: boolean): Value {
  if (bits === 64) return value;
  return isSigned ? b.signExtend(b.truncate(value, bits as Width), 64) : b.zeroExtend(b.truncate(value, bits as Width), 64);
}

/** ADCX and ADOX: an addition with a carry of its own flag, and no other flag. */
const addWithFlag = (flag: 'CF' | 'OF'): Meaning => (b, dst, src) => {
  const x = b.get(dst as Operand);
  const y = b.get(src as Operand);
  const first = add(b, x, y);
  const result = add(b, first, b.zeroExtend(b.flag(flag), x.width));
  const carry = or(b, b.compare('ltU', first, x), b.compare('ltU', result, first));
  b.set(dst as Operand, result);
  b.setFlags({ [flag]: carry });
};

const decimal = (operation: string): Meaning => (b) => b.system(operation);
const decimalWith = (operation: string): Meaning => (b, base) => b.system(operation, b.zeroExtend(b.get(base as Operand), 64));

const undefinedByProduct = { undefinedFlags: 'SF ZF AF PF' };
const undefinedByDivision = { undefinedFlags: 'CF OF SF ZF AF PF' };

export const arith: readonly Instruction[] = [
  ...aluForms,
  instruction('TEST', '84 /r', 'Eb,Gb', test('logic', and), { undefinedFlags: 'AF' }),
  instruction('TEST', '85 /r', 'Ev,Gv', test('logic', and), { undefinedFlags: 'AF' }),
  instruction('TEST', 'A8', 'AL,Ib', test('logic', and), { undefinedFlags: 'AF' }),
  instruction('TEST', 'A9', 'rAX,Iz', test('logic', and), { undefinedFlags: 'AF' }),
  ...['0', '1'].flatMap((n) => [
    instruction('TEST', `F6 /${n}`, 'Eb,Ib', test('logic', and), { undefinedFlags: 'AF' }),
    instruction('TEST', `F7 /${n}`, 'Ev,Iz', test('logic', and), { undefinedFlags: 'AF' }),
  ]),
  instruction('INC', 'FE /0', 'Eb', step('inc'), { lock: true }),
  instruction('INC', 'FF /0', 'Ev', step('inc'), { lock: true }),
  instruction('DEC', 'FE /1', 'Eb', step('dec'), { lock: true }),
  instruction('DEC', 'FF /1', 'Ev', step('dec'), { lock: true }),
  instruction('INC', '40 +r', 'Zv', step('inc'), { mode: 'legacy' }),
  instruction('DEC', '48 +r', 'Zv', step('dec'), { mode: 'legacy' }),
  instruction('NOT', 'F6 /2', 'Eb', not, { lock: true }),
  instruction('NOT', 'F7 /2', 'Ev', not, { lock: true }),
  instruction('NEG', 'F6 /3', 'Eb', neg, { lock: true }),
  instruction('NEG', 'F7 /3', 'Ev', neg, { lock: true }),
  instruction('MUL', 'F6 /4', 'Eb', multiplyWide(false), undefinedByProduct),
  instruction('MUL', 'F7 /4', 'Ev', multiplyWide(false), undefinedByProduct),
  instruction('IMUL', 'F6 /5', 'Eb', multiplyWide(true), undefinedByProduct),
  instruction('IMUL', 'F7 /5', 'Ev', multiplyWide(true), undefinedByProduct),
  instruction('IMUL', '0F AF /r', 'Gv,Ev', multiply, undefinedByProduct),
  instruction('IMUL', '69 /r', 'Gv,Ev,Iz', multiply, undefinedByProduct),
  instruction('IMUL', '6B /r', 'Gv,Ev,Is', multiply, undefinedByProduct),
  instruction('DIV', 'F6 /6', 'Eb', divide(false), undefinedByDivision),
  instruction('DIV', 'F7 /6', 'Ev', divide(false), undefinedByDivision),
  instruction('IDIV', 'F6 /7', 'Eb', divide(true), undefinedByDivision),
  instruction('IDIV', 'F7 /7', 'Ev', divide(true), undefinedByDivision),
  instruction('ADCX', '66 0F 38 F6 /r', 'Gy,Ey', addWithFlag('CF')),
  instruction('ADOX', 'F3 0F 38 F6 /r', 'Gy,Ey', addWithFlag('OF')),
  ...(['DAA 27', 'DAS 2F', 'AAA 37', 'AAS 3F'] as const).map((each) => {
    const [name, opcode] = each.split(' ') as [string, string];
    return instruction(name, opcode, '', decimal(name.toLowerCase()), { mode: 'legacy' });
  }),
  instruction('AAM', 'D4', 'Ib', decimalWith('aam'), { mode: 'legacy' }),
  instruction('AAD', 'D5', 'Ib', decimalWith('aad'), { mode: 'legacy' }),
];
