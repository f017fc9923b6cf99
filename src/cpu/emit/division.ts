/** 128 bits by 64, the helpers of DIV and IDIV, as WebAssembly: what fits 64 bits by the host's own instruction, the rest bit by bit. */

import { Code } from '../wasm/code.ts';
import { ModuleWriter } from '../wasm/module.ts';

/** Parameters of all of them: the dividend's halves, and the divisor, which is not zero. */
const [high, low, divisor] = [0, 1, 2];

type Part = 'quotient' | 'remainder';

/** Without signs. `high` is less than `divisor`: the quotient fits. */
function unsignedFunction(part: Part): Code {
  const code = new Code(3);
  const [left, carry] = [code.local('i32'), code.local('i64')];
  code.get(high).op('i64.eqz').if();
  code.get(low).get(divisor).op(part === 'quotient' ? 'i64.div_u' : 'i64.rem_u', 'return').end();
  code.i32(64).set(left);
  const again = code.depth;
  code.loop();
  // One bit of the dividend after the other; `low` takes the quotient's bits at its other end.
  code.get(high).set(carry);
  code.get(high).i64(1n).op('i64.shl').get(low).i64(63n).op('i64.shr_u', 'i64.or').set(high);
  code.get(low).i64(1n).op('i64.shl').set(low);
  code.get(carry).i64(0n).op('i64.lt_s').get(high).get(divisor).op('i64.ge_u', 'i32.or').if();
  code.get(high).get(divisor).op('i64.sub').set(high);
  code.get(low).i64(1n).op('i64.or').set(low).end();
  code.get(left).i32(1).op('i32.sub').tee(left).branch(again, true).end();
  return code.get(part === 'quotient' ? low : high);
}

/** Whether the quotient needs more than 64 bits. */
const overflowFunction = (): Code => new Code(3).get(high).get(divisor).op('i64.ge_u');

/** The dividend fits 64 bits with its sign, and so does the quotient: behind it, what to do then. */
function ifNarrow(code: Code): void {
  code.get(high).get(low).i64(63n).op('i64.shr_s', 'i64.eq');
  // The one quotient of 64 bits that does not fit.
  code.get(low).i64(1n << 63n).op('i64.ne').get(divisor).i64(-1n).op('i64.ne', 'i32.or', 'i32.and').if();
}

/** Puts the sizes of dividend and divisor in their places. */
function withoutSigns(code: Code): void {
  code.get(high).i64(0n).op('i64.lt_s').if();
  code.i64(0n).get(low).op('i64.sub').set(low);
  code.get(high).i64(-1n).op('i64.xor').get(low).op('i64.eqz', 'i64.extend_i32_u', 'i64.add').set(high).end();
  code.get(divisor).i64(0n).op('i64.lt_s').if().i64(0n).get(divisor).op('i64.sub').set(divisor).end();
}

/** With signs; the quotient fits, and the remainder has the dividend's sign. */
function signedFunction(part: Part, unsigned: number): Code {
  const code = new Code(3);
  const sign = code.local('i64');
  ifNarrow(code);
  code.get(low).get(divisor).op(part === 'quotient' ? 'i64.div_s' : 'i64.rem_s', 'return').end();
  code.get(high);
  if (part === 'quotient') code.get(divisor).op('i64.xor');
  code.i64(63n).op('i64.shr_s').set(sign);
  withoutSigns(code);
  // Negated where the sign is all ones.
  return code.get(high).get(low).get(divisor).call(unsigned).get(sign).op('i64.xor').get(sign).op('i64.sub');
}

/** Whether the quotient is beyond 2^63, or is just that and has no sign. */
function overflowSignedFunction(unsigned: number): Code {
  const code = new Code(3);
  const most = code.local('i64');
  ifNarrow(code);
  code.i32(0).op('return').end();
  code.get(high).get(divisor).op('i64.xor').i64(63n).op('i64.shr_u').i64((1n << 63n) - 1n).op('i64.add').set(most);
  withoutSigns(code);
  code.get(high).get(divisor).op('i64.ge_u').if().i32(1).op('return').end();
  return code.get(high).get(low).get(divisor).call(unsigned).get(most).op('i64.gt_u');
}

/** A module that imports nothing and exports the helpers by their names. */
export function buildDivision(): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const add = (name: string, result: 'i32' | 'i64', code: Code): number => {
    const number = module.function({ parameters: ['i64', 'i64', 'i64'], results: [result] }, code);
    module.exportFunction(name, number);
    return number;
  };
  const quotient = add('quotient', 'i64', unsignedFunction('quotient'));
  const remainder = add('remainder', 'i64', unsignedFunction('remainder'));
  add('divideOverflows', 'i32', overflowFunction());
  add('quotientSigned', 'i64', signedFunction('quotient', quotient));
  add('remainderSigned', 'i64', signedFunction('remainder', remainder));
  add('divideOverflowsSigned', 'i32', overflowSignedFunction(quotient));
  return module.encode();
}
