import type { Value, Width } from '../builder.ts';
import type { Code, ValueType } from '../wasm/code.ts';

/** A value in emitted code: a local, or known already. Up to 32 bits it is an i32, zero above its width. */
export type Emitted =
  | { readonly width: Width; readonly local: number }
  | { readonly width: Width; readonly constant: bigint };

export const valueOf = (it: Emitted): Value => it;

export const emitted = (value: Value): Emitted => value as Emitted;

export const typeOf = (width: number): ValueType => (width === 64 ? 'i64' : width === 128 ? 'v128' : 'i32');

/** Puts the value on the stack. */
export function pushValue(code: Code, value: Value): Code {
  const it = emitted(value);
  if ('local' in it) return code.get(it.local);
  if (it.width === 64) return code.i64(it.constant);
  return it.width === 128 ? code.v128(it.constant) : code.i32(Number(it.constant));
}
