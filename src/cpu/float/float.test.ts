import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generator } from '../../../fuzz/support/generator.ts';
import { floatModule } from '../../../test/support/float-module.ts';
import {
  callSse, sseOperations, sseQuestion, transcendentalOperations, transcendentalQuestion, x87Operations, x87Question,
} from '../../../test/support/float-operations.ts';
import { callX87, describeQuestion, x87Differs } from '../../../test/support/x87-call.ts';
import { sse } from './exact/sse.ts';
import { transcendental } from './exact/transcendental.ts';
import { x87 } from './exact/x87.ts';

const float = floatModule();

/** Cases of each operation; bigints take some 50 µs for one. */
const cases = 600;

test("SSE's operations are the exact ones: results, flags, masked and unmasked", () => {
  const random = generator(1);
  for (const operation of sseOperations) {
    const meaning = sse[operation.name]!;
    for (let at = 0; at < cases; at++) {
      const question = sseQuestion(operation, random, at % 2 === 0);
      const { result, flags } = callSse(float, operation, question);
      const wanted = meaning(question.a, question.b, question.control, question.immediate);
      // An unmasked exception has no result.
      const trapped = (flags & ~(question.control >> 7) & 63) !== 0;
      assert.deepEqual(trapped ? { flags } : { flags, result }, trapped ? { flags: wanted.flags } : wanted, describeQuestion(operation, question));
    }
  }
});

test("x87's operations are the exact ones: results, flags and condition codes, all precisions and roundings, masked and unmasked", () => {
  const random = generator(2);
  for (const operation of x87Operations) {
    for (let at = 0; at < cases; at++) {
      const question = x87Question(operation, random, at % 2 === 0);
      const { a, b, control, immediate } = question;
      const wanted = x87[operation.name === 'extractF80' ? 'significandF80' : operation.name]!(a, b, control, immediate);
      const other = operation.name === 'extractF80' ? x87['exponentF80']!(a, b, control, immediate) : { result: b, flags: 0 };
      const answer = { first: wanted.result, second: other.result, flags: wanted.flags | other.flags };
      assert.equal(x87Differs(operation, question, callX87(float, operation, question), answer), undefined);
    }
  }
});

test('transcendental results are the exact ones, rounded', () => {
  const random = generator(5);
  for (const [operation, least, most] of transcendentalOperations) {
    for (let at = 0; at < cases; at++) {
      const question = transcendentalQuestion(random, least, most);
      const wanted = transcendental[operation.name]!(question.a, question.b, question.control, 0);
      const answer = { first: wanted.result, second: question.b, flags: wanted.flags };
      assert.equal(x87Differs(operation, question, callX87(float, operation, question), answer), undefined);
    }
  }
});

/** A number's last kept place is at `kept` bits: all ones and one more, ties and their neighbours, and what is far below. */
function edgeFractions(width: number, kept: readonly number[]): bigint[] {
  const full = (1n << BigInt(width)) - 1n;
  const around = kept.flatMap((bits) => {
    const unit = 1n << BigInt(width - bits);
    const half = unit / 2n;
    return [unit, half, half + 1n, half - 1n, half + unit, full - unit + 1n, full - half + 1n, full - half, full - half + 2n].map((value) => BigInt.asUintN(width, value));
  });
  return [...new Set([0n, 1n, full, full - 1n, ...around])];
}

const exponents = (...around: number[]): number[] => around.flatMap((exponent) => [-2, -1, 0, 1, 2].map((by) => exponent + by));

test('f64 to f32 at the least and the largest numbers: ties, carries into the next exponent, flushed and unmasked', () => {
  const operation = sseOperations.find(({ name }) => name === 'f64ToF32')!;
  const masks = [0x1f80, 0x9f80, 0x1780, 0x1b80];
  for (const exponent of exponents(-149, -126, 127)) {
    for (const digits of edgeFractions(52, [23, Math.max(1, Math.min(23, exponent + 149))])) {
      for (const control of masks.flatMap((mask) => [0, 1, 2, 3].map((mode) => mask | mode << 13))) {
        const question = { a: BigInt((exponent % 2 === 0 ? 0 : 2048) + exponent + 1023) << 52n | digits, b: 0n, control, immediate: 0 };
        const wanted = sse[operation.name]!(question.a, 0n, control, 0);
        const { result, flags } = callSse(float, operation, question);
        const trapped = (flags & ~(control >> 7)) !== 0;
        assert.deepEqual({ flags, result: trapped ? 0n : result }, { flags: wanted.flags, result: trapped ? 0n : wanted.result }, describeQuestion(operation, question));
      }
    }
  }
});

test('products of f80 at the least and the largest numbers, in three precisions', () => {
  const operation = x87Operations.find(({ name }) => name === 'multiplyF80')!;
  for (const [precision, kept] of [[0, 23], [2, 52], [3, 62]] as const) {
    for (const exponent of exponents(-16445, -16382, 16383)) {
      for (const digits of edgeFractions(63, [kept])) {
        for (const control of [0x7f, 0x6f, 0x77].flatMap((mask) => [0, 1, 2, 3].map((mode) => mask | mode << 10 | precision << 8))) {
          const half = Math.trunc(exponent / 2);
          const a = BigInt(half + 16383) << 64n | 1n << 63n | digits;
          const b = BigInt((exponent % 2 === 0 ? 0 : 0x8000) + exponent - half + 16383) << 64n | 1n << 63n;
          const wanted = x87['multiplyF80']!(a, b, control, 0);
          const question = { a, b, control, immediate: 0 };
          assert.equal(x87Differs(operation, question, callX87(float, operation, question), { first: wanted.result, second: b, flags: wanted.flags }), undefined);
        }
      }
    }
  }
});

const MXCSR = 0x1f80;
const bits = (value: number): bigint => new BigInt64Array(new Float64Array([value]).buffer)[0]!;

function f64(operation: () => bigint): [value: number, flags: number] {
  float.flags.value = 0;
  const value = new Float64Array(new BigInt64Array([operation()]).buffer)[0]!;
  return [value, float.exceptions(MXCSR)];
}

test('sums, products, quotients and roots as everyone knows them', () => {
  assert.deepEqual(f64(() => float.addF64(bits(0.1), bits(0.2), MXCSR)), [0.30000000000000004, 0x20]);
  assert.deepEqual(f64(() => float.subtractF64(bits(3), bits(1), MXCSR)), [2, 0]);
  assert.deepEqual(f64(() => float.multiplyF64(bits(1e200), bits(1e200), MXCSR)), [Infinity, 0x28]);
  assert.deepEqual(f64(() => float.divideF64(bits(1), bits(0), MXCSR)), [Infinity, 0x04]);
  assert.deepEqual(f64(() => float.divideF64(bits(0), bits(0), MXCSR)), [NaN, 0x01]);
  assert.deepEqual(f64(() => float.multiplyF64(bits(1e-300), bits(1e-300), MXCSR)), [0, 0x30]);
  assert.deepEqual(f64(() => float.squareRootF64(bits(2), MXCSR)), [Math.SQRT2, 0x20]);
  assert.deepEqual(f64(() => float.addF64(bits(5e-324), bits(0), MXCSR)), [5e-324, 0x02]);
  assert.deepEqual(f64(() => float.addF64(bits(5e-324), bits(0), MXCSR | 1 << 6)), [0, 0]);
});

test('what random operands hardly meet', () => {
  // Rounded up to the least normal number, it was tiny all the same.
  assert.deepEqual(f64(() => float.multiplyF64(bits(1 - 2 ** -53), bits(2 ** -1022), MXCSR)), [2 ** -1022, 0x30]);
  // A quotient of 1 that the host is not asked for.
  assert.deepEqual(f64(() => float.divideF64(bits(3), bits(3), MXCSR | 1 << 13)), [1, 0]);
  // Of two NaNs that differ in sign the positive one.
  float.addF80(0xffff, 0xc000000000000001n, 0x7fff, 0xc000000000000001n, 0x37f);
  assert.equal(float.high.value, 0x7fff);
  // 5 / 2 is as near to 2 as to 3, and 2 is even: 1 is left.
  assert.equal(BigInt.asUintN(64, float.remainderNearestF80(0x4001, 0xa000000000000000n, 0x4000, 0x8000000000000000n, 0x37f)), 1n << 63n);
  assert.equal(float.high.value, 0x3fff);
});

test('arithmetic agrees with that of JavaScript', () => {
  const random = generator(3);
  const number = (): number => (random(2 ** 32) / 2 ** 20 - 2048) * 2 ** (random(200) - 100);
  for (let at = 0; at < 20_000; at++) {
    const [a, b] = [number(), number()];
    assert.equal(f64(() => float.addF64(bits(a), bits(b), MXCSR))[0], a + b);
    assert.equal(f64(() => float.multiplyF64(bits(a), bits(b), MXCSR))[0], a * b);
    assert.equal(f64(() => float.divideF64(bits(a), bits(b), MXCSR))[0], a / b);
  }
});

test('reciprocals have at least the 12 bits that are promised, and raise nothing', () => {
  const values = new Float32Array(1);
  const encoding = new Int32Array(values.buffer);
  const read = (of: number): number => {
    encoding[0] = of;
    return values[0]!;
  };
  const random = generator(4);
  float.flags.value = 0;
  for (let at = 0; at < 1000; at++) {
    const operand = random(0x7f000000 - 0x00800000) + 0x00800000;
    const value = read(operand);
    const [inverse, root] = [read(float.reciprocalF32(operand)), read(float.reciprocalRootF32(operand))];
    assert.ok(Math.abs(inverse * value - 1) < 1.5 * 2 ** -12 || (inverse === 0 && value >= 2 ** 126), `1/${value} is not ${inverse}`);
    assert.ok(Math.abs(root * root * value - 1) < 3 * 2 ** -12, `1/√${value} is not ${root}`);
  }
  assert.equal(float.reciprocalF32(0x80000001 | 0) >>> 0, 0xff800000);
  assert.equal(float.reciprocalRootF32(0xbf800000 | 0) >>> 0, 0xffc00000);
  assert.equal(float.flags.value, 0);
});
