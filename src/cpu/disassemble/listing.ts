/** Lines for a stretch of code, one instruction behind the other. Works in a browser: nothing of Node here. */

import type { CodeSize } from '../decode.ts';
import { disassemble, type Disassembled } from './disassemble.ts';

export interface ListedInstruction extends Disassembled {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/** What a place is called, as nearest as it goes: `main`, `main+0x10`; undefined where nothing has a name. */
export type NameOf = (address: bigint) => string | undefined;

/** @param address where the first byte is */
export function* listing(code: Uint8Array, address: bigint, codeSize: CodeSize): Generator<ListedInstruction> {
  for (let at = 0; at < code.length;) {
    const here = BigInt.asUintN(64, address + BigInt(at));
    const found = disassemble(code.subarray(at, at + 15), here, codeSize);
    yield { ...found, address: here, bytes: code.subarray(at, at + found.length) };
    at += found.length;
  }
}

/** Names by the symbols of a file. @param symbols in the order of their addresses */
export function namesOf(symbols: readonly { readonly name: string; readonly address: bigint; readonly size: number }[]): NameOf {
  return (address) => {
    let [low, high] = [0, symbols.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((symbols[middle] as (typeof symbols)[number]).address <= address) low = middle + 1;
      else high = middle;
    }
    const symbol = symbols[low - 1];
    if (symbol === undefined) return undefined;
    const distance = address - symbol.address;
    if (distance > 0n && symbol.size > 0 && distance >= BigInt(symbol.size)) return undefined;
    return distance === 0n ? symbol.name : `${symbol.name}+0x${distance.toString(16)}`;
  };
}

const hexBytes = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
const bytesColumn = 30;

/** `7c00:\tba f8 03\tmov    dx,0x3f8`, with the target's name behind it. */
export function listedLine({ address, bytes, text, target }: ListedInstruction, nameOf: NameOf): string {
  const name = target === undefined ? undefined : nameOf(target);
  return `${address.toString(16).padStart(8)}:\t${hexBytes(bytes).padEnd(bytesColumn)}\t${text}${name === undefined ? '' : ` <${name}>`}`;
}
