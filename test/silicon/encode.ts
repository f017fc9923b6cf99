/** Bytes of an instruction, with every prefix that may stand before it and every way to address its operand. */

import { parseEncoding, type Instruction, type Pattern } from '../../src/cpu/isa/instruction.ts';
import type { Next } from './values.ts';

export interface Encoded {
  /** 15, of which the instruction may take fewer. */
  readonly bytes: Uint8Array;
  /** Where the ModRM byte is; undefined when there is none. */
  readonly modrm: number | undefined;
  /** The same without LOCK, if it is there. */
  readonly unlocked: Uint8Array | undefined;
  /** How many bytes stand before a REX that counts, or before the opcode. */
  readonly prefixes: number;
}

const escapes: readonly (readonly number[])[] = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];
const patterns = new WeakMap<Instruction, Pattern>();

function patternOf(instruction: Instruction): Pattern {
  const known = patterns.get(instruction) ?? parseEncoding(instruction.encoding);
  patterns.set(instruction, known);
  return known;
}

/**
 * REP and REPNE are reserved here (SDM volume 2, 2.1.1). AMD's decide by them what LOOPE and LOOPNE wait for; MOVBE is no instruction with REP,
 * and another one with REPNE.
 */
const repeatReserved = /^(?:LOOPN?E|MOVBE)$/;

/** One in so many. */
const seldom = (next: Next, many: number): boolean => next() % many === 0;

const required = { NP: [], 66: [0x66], F2: [0xf2], F3: [0xf3] } as const;

/**
 * Those that the encoding asks for, the size of operands and addresses, FS and GS, segments that 64-bit mode reads over, LOCK, and REP where it
 * repeats or means nothing; in any order.
 */
function prefixesOf({ name, repeat, lock = false }: Instruction, { prefix }: Pattern, next: Next): number[] {
  const found: number[] = prefix === undefined ? [] : [...required[prefix]];
  if (prefix === undefined && !repeatReserved.test(name) && seldom(next, repeat === undefined ? 24 : 2)) found.push(0xf2 | (next() & 1));
  if (prefix !== 'NP' && seldom(next, prefix === undefined ? 4 : 16)) found.push(0x66);
  if (seldom(next, 12)) found.push(0x67);
  if (seldom(next, 10)) found.push(0x64 | (next() & 1));
  if (seldom(next, 24)) found.push(0x26 | ((next() & 3) << 3));
  if (seldom(next, lock ? 3 : 96)) found.push(0xf0);
  if (found.length > 1 && seldom(next, 2)) found.push(found.shift() as number);
  // Without effect: a REX that does not stand right before the opcode.
  if (seldom(next, 48)) found.unshift(0x40 | (next() & 15));
  // More bytes than an instruction may have.
  if (seldom(next, 256)) found.unshift(...Array.from({ length: 8 + (next() % 7) }, () => 0x3e));
  return found;
}

export function encode(instruction: Instruction, next: Next): Encoded {
  const pattern = patternOf(instruction);
  const bytes = prefixesOf(instruction, pattern, next);
  const prefixes = bytes.length;
  if (seldom(next, 2)) bytes.push(0x40 | (next() & 15));
  bytes.push(...(escapes[pattern.map] as readonly number[]), pattern.opcode + (next() % pattern.span));
  const modrm = pattern.modrm ? bytes.length : undefined;
  if (pattern.exact) bytes.push(pattern.exact[0] + (next() % (pattern.exact[1] - pattern.exact[0] + 1)));
  else if (pattern.modrm) {
    const mod = pattern.rm === 'reg' ? 3 : pattern.rm === 'mem' ? next() % 3 : next() % 5 < 2 ? 3 : next() % 3;
    bytes.push((mod << 6) | ((pattern.reg ?? next() & 7) << 3) | (next() & 7));
  }
  const whole = new Uint8Array(15);
  whole.set(bytes.slice(0, 15));
  for (let at = bytes.length; at < 15; at++) whole[at] = next();
  const lock = whole.subarray(0, prefixes).indexOf(0xf0);
  const unlocked = lock < 0 ? undefined : Uint8Array.from([...whole.subarray(0, lock), ...whole.subarray(lock + 1), 0]);
  return { bytes: whole, modrm, unlocked, prefixes };
}
