import type { Random } from '../../fuzz/support/generator.ts';
import { operand, type Kind } from './float-operands.ts';
import type { Float } from '../../src/cpu/float/float.ts';
import type { Question } from './silicon-float.ts';

/** One export of build/float.wasm: what it takes and gives, which of its flags count. */
export interface Operation {
  readonly name: string;
  readonly takes: readonly Kind[];
  readonly gives: Kind;
  /** How many immediates there are; 0 when it has none. */
  readonly immediates: number;
}

const both = (name: string, operands: number, immediates = 0, gives?: Kind): Operation[] =>
  (['f32', 'f64'] as const).map((kind) => (
    { name: `${name}${kind.toUpperCase()}`, takes: Array.from({ length: operands }, () => kind), gives: gives ?? kind, immediates }));

const conversion = (from: Kind, to: Kind): Operation => ({ name: `${from}To${to[0]?.toUpperCase()}${to.slice(1)}`, takes: [from], gives: to, immediates: 0 });

export const sseOperations: readonly Operation[] = [
  ...both('add', 2), ...both('subtract', 2), ...both('multiply', 2), ...both('divide', 2), ...both('squareRoot', 1),
  ...both('minimum', 2), ...both('maximum', 2),
  ...both('compare', 2, 32, 'i32'), ...both('order', 2, 2, 'i32'), ...both('round', 1, 16),
  conversion('f32', 'f64'), conversion('f64', 'f32'),
  ...(['f32', 'f64'] as const).flatMap((float) => (['i32', 'i64'] as const).flatMap((integer) => [conversion(float, integer), conversion(integer, float)])),
];

/** Random operands under a random MXCSR. @param masked leave all exceptions masked */
export function sseQuestion({ takes, immediates }: Operation, random: Random, masked: boolean): Question {
  const [first = 'f64', second = first] = takes;
  const a = operand(first, random, undefined);
  const b = operand(second, random, a);
  const masks = masked || random(4) === 0 ? 0x1f80 : random(64) << 7;
  const flushes = (random(4) === 0 ? 1 << 6 : 0) | (random(4) === 0 ? 1 << 15 : 0);
  return { a, b, control: random(4) << 13 | masks | flushes, immediate: immediates === 0 ? 0 : random(immediates) };
}

type Exported = (...operands: readonly (number | bigint)[]) => number | bigint;

const widths: Readonly<Record<Kind, number>> = { f32: 32, f64: 64, f80: 80, i16: 16, i32: 32, i64: 64, bcd: 80 };

/** As the export takes it. */
function passed(kind: Kind, value: bigint): (number | bigint)[] {
  if (widths[kind] === 80) return [Number(value >> 64n), BigInt.asUintN(64, value)];
  return [widths[kind] === 64 ? value : Number(BigInt.asIntN(widths[kind], value))];
}

/** Calls an export of the module for SSE. */
export function callSse(float: Float, operation: Operation, { a, b, control, immediate }: Question): { result: bigint; flags: number } {
  const { name, takes, gives, immediates } = operation;
  float.flags.value = 0;
  const operands = takes.flatMap((kind, index) => passed(kind, index === 0 ? a : b));
  const result = (float[name as keyof Float] as Exported)(...operands, ...(immediates === 0 ? [] : [immediate]), control);
  return { result: BigInt.asUintN(widths[gives], BigInt(result)), flags: float.exceptions(control) };
}

const binary = (name: string): Operation => ({ name, takes: ['f80', 'f80'], gives: 'f80', immediates: 0 });
const unary = (name: string): Operation => ({ name, takes: ['f80'], gives: 'f80', immediates: 0 });

export const x87Operations: readonly Operation[] = [
  ...['addF80', 'subtractF80', 'multiplyF80', 'divideF80', 'remainderF80', 'remainderNearestF80', 'scaleF80'].map(binary),
  ...['squareRootF80', 'roundF80'].map(unary),
  { name: 'compareF80', takes: ['f80', 'f80'], gives: 'i32', immediates: 0 }, { name: 'compareQuietF80', takes: ['f80', 'f80'], gives: 'i32', immediates: 0 },
  { name: 'classifyF80', takes: ['f80'], gives: 'i32', immediates: 0 }, { name: 'constantF80', takes: [], gives: 'f80', immediates: 7 },
  { name: 'extractF80', takes: ['f80'], gives: 'f80', immediates: 0 },
  ...(['f32', 'f64', 'i16', 'i32', 'i64', 'bcd'] as const).flatMap((kind) => [conversion(kind, 'f80'), conversion('f80', kind)]),
];

/** Random operands under a random control word. @param masked leave all exceptions masked */
export function x87Question({ takes, immediates }: Operation, random: Random, masked: boolean): Question {
  const [first = 'f80', second = first] = takes;
  const a = operand(first, random, undefined);
  const b = operand(second, random, a);
  const masks = masked || random(4) === 0 ? 0x3f : random(64);
  const precision = [3, 3, 2, 0][random(4)] ?? 3;
  return { a, b, control: random(4) << 10 | precision << 8 | 0x40 | masks, immediate: immediates === 0 ? 0 : random(immediates) };
}

const corners = [0n, 1n << 79n, 0x3fffn << 64n | 1n << 63n, 0xbfffn << 64n | 1n << 63n, 0x7fffn << 64n | 1n << 63n] as const;

/** Exponents from `least` up to `most` more often than any, and the corners: zeros, ones, infinity. */
function argument(random: Random, least: number, most: number): bigint {
  if (random(8) === 0) return corners[random(corners.length)] ?? 0n;
  const bits = operand('f80', random, undefined);
  if (random(3) === 0) return bits;
  return BigInt(random(2)) << 79n | BigInt(16383 + least + random(most - least)) << 64n | 1n << 63n | BigInt.asUintN(63, bits);
}

/** x87's transcendental instructions, and the exponents of ST(0) that they are meant for. */
export const transcendentalOperations: readonly (readonly [operation: Operation, least: number, most: number])[] = [
  [unary('power2F80'), -70, 0], [binary('yLog2xF80'), -20, 20], [binary('yLog2xPlus1F80'), -70, -2], [binary('arctangentF80'), -10, 10],
  [unary('sineF80'), -40, 63], [unary('cosineF80'), -40, 63], [unary('tangentF80'), -40, 63],
];

/** With full precision, which these instructions have always. */
export function transcendentalQuestion(random: Random, least: number, most: number): Question {
  const control = random(4) << 10 | 0x340 | (random(2) === 0 ? 0x3f : random(64));
  return { a: argument(random, least, most), b: argument(random, -10, 10), control, immediate: 0 };
}
