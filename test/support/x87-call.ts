import type { Exports, Operation } from './float-operations.ts';
import type { Question } from './silicon-float.ts';

type Exported = (...operands: readonly (number | bigint)[]) => number | bigint;

export interface X87Result {
  readonly first: bigint;
  readonly second: bigint;
  /** Exceptions and C0 to C3. */
  readonly flags: number;
}

/** Calls exports of the module as a processor does for x87's instruction of that name. */
export function callX87(exports: Exports, { name }: Operation, { a, b, control, immediate }: Question): X87Result {
  const flags = exports['flags'] as { value: number };
  const call = (of: string, ...operands: (number | bigint)[]): bigint => BigInt((exports[of] as Exported)(...operands));
  const extended = (significand: bigint): bigint => BigInt.asUintN(64, significand) | BigInt((exports['high'] as { value: number }).value) << 64n;
  const x: [number, bigint] = [Number(a >> 64n & 0xffffn), BigInt.asUintN(64, a)];
  const y: [number, bigint] = [Number(b >> 64n & 0xffffn), BigInt.asUintN(64, b)];
  flags.value = 0;
  let second = b;
  const give = (first: bigint, codes = 0): X87Result => ({ first, second, flags: codes | Number((exports['exceptionsF80'] as Exported)(control)) });
  const binary = (): X87Result => give(extended(call(name, ...x, ...y, control)));
  switch (name) {
    case 'compareF80': return give(a, Number(call('compareF80', ...x, ...y, 0)));
    case 'compareQuietF80': return give(a, Number(call('compareF80', ...x, ...y, 1)));
    case 'classifyF80': return give(a, Number(call('classifyF80', ...x)));
    case 'constantF80': return give(extended(call('constantF80', immediate, control)));
    case 'extractF80': {
      second = extended(call('exponentF80', ...x));
      return give(extended(call('significandF80', ...x)));
    }
    case 'squareRootF80': case 'roundF80': case 'power2F80': case 'sineF80': case 'cosineF80': return give(extended(call(name, ...x, control)));
    case 'f32ToF80': return give(extended(call(name, Number(a))));
    case 'f64ToF80': return give(extended(call(name, a)));
    case 'i16ToF80': return give(extended(call('i64ToF80', BigInt.asIntN(16, a))));
    case 'i32ToF80': return give(extended(call('i64ToF80', BigInt.asIntN(32, a))));
    case 'i64ToF80': return give(extended(call('i64ToF80', BigInt.asIntN(64, a))));
    case 'bcdToF80': return give(extended(call(name, ...x)));
    case 'f80ToBcd': return give(extended(call(name, ...x, control)));
    case 'f80ToI16': return give(BigInt.asUintN(16, call(name, ...x, control)));
    case 'f80ToF32': case 'f80ToI32': return give(BigInt.asUintN(32, call(name, ...x, control)));
    case 'f80ToF64': case 'f80ToI64': return give(BigInt.asUintN(64, call(name, ...x, control)));
    case 'tangentF80': {
      const first = extended(call(name, ...x, control));
      const made = give(first);
      // FPTAN pushes a 1 behind its result, unless it has none.
      return isNumber(a) && (made.flags & 0x400) === 0 ? { ...made, first: 0x3fffn << 64n | 1n << 63n, second: first } : { ...made, second: isNumber(a) ? b : first };
    }
    default: return binary();
  }
}
