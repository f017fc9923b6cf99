import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { floatModule } from '../../../test/support/float-module.ts';
import { vectorFloatHelpers, type VectorFloat } from '../vector-float.ts';
import { Code, type ValueType } from '../wasm/code.ts';
import { ModuleWriter } from '../wasm/module.ts';
import { buildVectorFloat } from './vector-float.ts';

const float = await floatModule();
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(buildVectorFloat()), { float: float as unknown as WebAssembly.Imports[string] });

/** All exceptions masked, inexact raised before: the host's own instruction is taken where it can be. */
const ordinary = 0x1fa0;
const names: readonly VectorFloat[] = (['add', 'subtract', 'multiply', 'divide', 'minimum', 'maximum', 'squareRoot'] as const).flatMap((name) => (
  (['F32x1', 'F32x4', 'F64x1', 'F64x2'] as const).map((shape) => `${name}${shape}` as const)
));

/** JavaScript has no vectors: this takes and gives each as two words. */
function callable(name: VectorFloat): (...words: bigint[]) => [bigint, bigint] {
  const module = new ModuleWriter();
  const target = module.importFunction('vector', name, { parameters: ['v128', 'v128', 'i32'], results: ['v128'] });
  const code = new Code(4);
  const result = code.local('v128');
  for (const at of [0, 2]) code.v128(0n).get(at).lane('i64x2.replace_lane', 0).get(at + 1).lane('i64x2.replace_lane', 1);
  code.i32(ordinary).call(target).set(result);
  for (const lane of [0, 1]) code.get(result).lane('i64x2.extract_lane', lane);
  const words: ValueType[] = ['i64', 'i64', 'i64', 'i64'];
  module.exportFunction('call', module.function({ parameters: words, results: ['i64', 'i64'] }, code));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), { vector: exports as unknown as WebAssembly.Imports[string] });
  return instance.exports['call'] as (...words: bigint[]) => [bigint, bigint];
}

const limit = (value: bigint): bigint => BigInt.asUintN(64, value);

/** Bits of doubles and of pairs of singles: of all kinds, and near the ends of what the host may do. */
const word = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.double().map((value) => new BigUint64Array(Float64Array.of(value).buffer)[0] as bigint),
  fc.tuple(fc.float(), fc.float()).map((values) => new BigUint64Array(Float32Array.from(values).buffer)[0] as bigint),
  fc.constantFrom(0n, 0x00800000_80800000n, 0x007fffff_807fffffn, 0x7f7fffff_7f800000n, 1n << 52n, (1n << 52n) - 1n, 0x7fef_ffff_ffff_ffffn, 0x7ffn << 52n, 1n << 63n),
);

for (const name of names) {
  test(`${name} by the host or by float.wasm is the exact one`, () => {
    const call = callable(name);
    const raised = exports['raised'] as (mxcsr: number) => number;
    fc.assert(fc.property(word, word, word, word, (xLow, xHigh, yLow, yHigh) => {
      const [low, high] = call(xLow, xHigh, yLow, yHigh);
      const exact = vectorFloatHelpers[name].compute(xLow | (xHigh << 64n), yLow | (yHigh << 64n), BigInt(ordinary));
      assert.equal((limit(low) | (limit(high) << 64n)).toString(16), exact.toString(16));
      assert.equal(raised(ordinary) | 0x20, Number(vectorFloatHelpers.raised.compute(BigInt(ordinary))) | 0x20);
    }), { numRuns: 300 });
  });
}
