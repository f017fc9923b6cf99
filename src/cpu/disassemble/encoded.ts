/** Where an instruction's parts are in its bytes: what the decoder has read over and a listing shows. */

import type { CodeSize } from '../decode.ts';

/** Prefixes in their order, and what stands behind them. */
export interface Encoded {
  readonly prefixes: readonly number[];
  /** The last prefix, where it is a REX and so counts; else 0. */
  readonly rex: number;
  /** The last byte of the opcode. */
  readonly opcode: number;
  /** The byte behind the opcode: ModRM where the instruction has one. */
  readonly modrm: number;
  /** The byte behind ModRM: SIB where the instruction has one. */
  readonly sib: number;
}

const legacy: ReadonlySet<number> = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);
const most = 15;

export const isRex = (byte: number, codeSize: CodeSize): boolean => codeSize === 64 && byte >> 4 === 4;

/** @param bytes of one instruction; what is not there is 0 */
export function encodedOf(bytes: Uint8Array, codeSize: CodeSize): Encoded {
  const at = (index: number): number => bytes[index] ?? 0;
  let behind = 0;
  while (behind < Math.min(bytes.length, most) && (legacy.has(at(behind)) || isRex(at(behind), codeSize))) behind++;
  const prefixes = [...bytes.subarray(0, behind)];
  const last = prefixes.at(-1) ?? 0;
  const escaped = at(behind) === 0x0f;
  const opcodeAt = !escaped ? behind : at(behind + 1) === 0x38 || at(behind + 1) === 0x3a ? behind + 2 : behind + 1;
  return { prefixes, rex: isRex(last, codeSize) ? last : 0, opcode: at(opcodeAt), modrm: at(opcodeAt + 1), sib: at(opcodeAt + 2) };
}
