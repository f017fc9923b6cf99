import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as assertProperty, bigInt, constantFrom, oneof, property, tuple } from 'fast-check';
import { helpers } from '../helpers.ts';
import { buildDivision } from './division.ts';

type Division = (high: bigint, low: bigint, divisor: bigint) => bigint | number;
const emitted = new WebAssembly.Instance(new WebAssembly.Module(buildDivision())).exports as unknown as Record<string, Division>;

const edges = [0n, 1n, 2n, (1n << 63n) - 1n, 1n << 63n, (1n << 63n) + 1n, (1n << 64n) - 1n, (1n << 64n) - 2n, 0xffffffffn, 1n << 32n];
const word = oneof(constantFrom(...edges), bigInt(0n, (1n << 64n) - 1n), bigInt(0n, 1000n));

const ways = [
  ['divideOverflows', 'quotient', 'remainder'],
  ['divideOverflowsSigned', 'quotientSigned', 'remainderSigned'],
] as const;

for (const [overflows, ...parts] of ways) {
  test(`${overflows}, ${parts.join(', ')}: as the definitions on bigints`, () => {
    const dividend = oneof(tuple(word, word), word.map((low) => [BigInt.asUintN(64, BigInt.asIntN(64, low) >> 63n), low] as const));
    const check = ([high, low]: readonly [bigint, bigint], divisor: bigint): void => {
      const tooLarge = helpers[overflows].compute(high, low, divisor);
      assert.equal(emitted[overflows]?.(high, low, divisor), Number(tooLarge));
      for (const part of tooLarge ? [] : parts) {
        assert.equal(BigInt.asUintN(64, BigInt(emitted[part]?.(high, low, divisor) ?? 0)), helpers[part].compute(high, low, divisor), part);
      }
    };
    assertProperty(property(dividend, word.filter((divisor) => divisor !== 0n), check), { numRuns: 3000 });
    for (const high of edges) for (const low of edges) for (const divisor of edges.slice(1)) check([high, low], divisor);
  });
}
