/** Random instructions out of the processor's own table, on states that make them do something. */

import { decode, type Decoded } from '../../src/cpu/decode.ts';
import { parseEncoding, type Instruction } from '../../src/cpu/isa/instruction.ts';
import { base, codeWindow, dataWindow, ramSize } from './layout.ts';
import type { Case } from './silicon.ts';

export interface Generated {
  readonly instruction: Instruction;
  readonly decoded: Decoded;
  readonly case: Case;
}

type Next = () => number;

const windowBytes = dataWindow.pages.length * 4096;

function value(next: Next): bigint {
  switch (next() % 6) {
    case 0: return BigInt.asUintN(64, BigInt(next() % 5) - 2n);
    case 1: return BigInt(dataWindow.address + (next() % windowBytes));
    case 2: return BigInt.asUintN(64, (1n << BigInt(next() % 64)) - BigInt(next() % 2));
    case 3: return BigInt(next());
    case 4: return BigInt.asUintN(64, -BigInt(next() % 0x10000));
    default: return (BigInt(next()) << 32n) | BigInt(next());
  }
}

/** Numbers that floating point treats in ways of their own: zeros, denormals, the least and greatest, infinities, NaNs. */
const singles = [0, 1, 0x7fffff, 0x800000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000, 0x3f800000, 0x3f000000, 0x40200000, 0x4f000000, 0x5f000000, 0x33800000];
const doubles = [
  0n, 1n, (1n << 52n) - 1n, 1n << 52n, 0x7fefffffffffffffn, 0x7ff0000000000000n, 0x7ff0000000000001n, 0x7ff8000000000000n, 0x3ff0000000000000n, 0x3fe0000000000000n,
  0x4004000000000000n, 0x41dfffffffc00000n, 0x43e0000000000000n, 0x36a0000000000000n, 0x47efffffe0000000n,
];

function single(next: Next): number {
  const sign = next() % 2 === 0 ? 0 : 0x80000000;
  if (next() % 3 === 0) return ((singles[next() % singles.length] as number) | sign) >>> 0;
  // Of all magnitudes, or near one; few digits as often as many.
  const exponent = next() % 2 === 0 ? next() % 255 : 117 + (next() % 20);
  return (((exponent << 23) | ((next() % 0x800000) & (next() % 2 === 0 ? -1 : 0x700000))) | sign) >>> 0;
}

function double(next: Next): bigint {
  const sign = next() % 2 === 0 ? 0n : 1n << 63n;
  if (next() % 3 === 0) return (doubles[next() % doubles.length] as bigint) | sign;
  const exponent = BigInt([next() % 2047, 1013 + (next() % 20), 896 + (next() % 255)][next() % 3] as number);
  const digits = ((BigInt(next()) << 20n) ^ BigInt(next())) & ((1n << 52n) - 1n);
  return (exponent << 52n) | (next() % 2 === 0 ? digits : digits & (7n << 49n)) | sign;
}

/** 16 bytes of one format. */
function floats(next: Next): Uint8Array {
  if (next() % 2 === 0) return new Uint8Array(Uint32Array.from({ length: 4 }, () => single(next)).buffer);
  return new Uint8Array(BigUint64Array.from({ length: 2 }, () => double(next)).buffer);
}

/** As programs have it before and behind the first inexact result, or with exceptions unmasked, flags and modes. */
function mxcsr(next: Next): number {
  if (next() % 3 === 0) return 0x1fa0;
  if (next() % 2 === 0) return 0x1f80 | ((next() & 3) << 13);
  return next() % 3 === 0 ? next() & 0xffff : (0x1f80 | (next() & 0xe07f)) & ~(next() % 4 === 0 ? 0x80 << (next() % 6) : 0);
}

/** 64 bytes of memory. */
function contents(next: Next): Uint8Array {
  const bytes = Uint8Array.from({ length: 64 }, () => next());
  for (let at = 0; at < 64; at += 16) if (next() % 2 === 0) bytes.set(floats(next), at);
  return bytes;
}

/** An address of data, often at a page's end. */
function dataAddress(next: Next): bigint {
  const page = next() % 3 === 0 ? 1 + (next() % dataWindow.pages.length) : [0, 1, 3, 5][next() % 4] as number;
  if (next() % 4 === 0) return BigInt(dataWindow.address + page * 4096 - (next() % 20));
  return BigInt(dataWindow.address + (page % dataWindow.pages.length) * 4096 + (next() % 4000));
}

function bytesOf({ encoding }: Instruction, next: Next): Uint8Array {
  const pattern = parseEncoding(encoding);
  const bytes: number[] = [];
  if (pattern.prefix !== undefined && pattern.prefix !== 'NP') bytes.push(Number.parseInt(pattern.prefix, 16));
  if (pattern.prefix === undefined && next() % 4 === 0) bytes.push(0x66);
  if (next() % 16 === 0) bytes.push(0x67);
  if (next() % 16 === 0) bytes.push(next() % 2 === 0 ? 0x64 : 0x65);
  if (next() % 2 === 0) bytes.push(0x40 | (next() & 15));
  bytes.push(...[[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][pattern.map] as number[], pattern.opcode + (next() % pattern.span));
  if (pattern.exact) bytes.push(pattern.exact[0] + (next() % (pattern.exact[1] - pattern.exact[0] + 1)));
  else if (pattern.modrm) {
    const rm = next() & 7;
    const mod = pattern.rm === 'reg' ? 3 : pattern.rm === 'mem' ? next() % 3 : next() % 5 < 2 ? 3 : next() % 3;
    bytes.push((mod << 6) | ((pattern.reg ?? next() & 7) << 3) | rm);
  }
  return Uint8Array.from([...bytes, ...Array.from({ length: 14 }, () => next() & 0xff)]).subarray(0, 15);
}

/** Undefined when the bytes have come out as something else. */
export function generate(instruction: Instruction, next: Next): Generated | undefined {
  const bytes = bytesOf(instruction, next);
  const decoded = decode(bytes, 64);
  if (typeof decoded === 'string' || decoded.instruction !== instruction) return undefined;
  const registers = BigUint64Array.from({ length: 16 }, () => value(next));
  registers[4] = dataAddress(next) & ~7n;
  aim(decoded, registers, next);
  if (decoded.repeat) registers[1] = BigInt(next() % 80);
  const fx = Uint8Array.from({ length: 512 }, (_, at) => (at < 32 || (at < 160 && at % 16 > 9) || at >= 416 ? 0 : next()));
  for (let at = 160; at < 416; at += 16) if (next() % 4 !== 0) fx.set(floats(next), at);
  const control = new DataView(fx.buffer);
  control.setUint16(0, 0x37f, true);
  control.setUint8(4, next());
  control.setUint32(24, mxcsr(next), true);
  const address = Number(dataAddress(next));
  const page = Math.floor((address - dataWindow.address) / 4096);
  const memory = dataWindow.pages[page] === 'writable' && address % 4096 < 4000 ? [{ address: address & ~7, bytes: contents(next) }] : [];
  const room = codeWindow.pages * 4096 - 16;
  const rip = codeWindow.address + (next() % 8 === 0 ? 4096 - (next() % 16) : next() % room);
  if (reachesDriver(decoded, rip)) return undefined;
  return {
    instruction, decoded,
    case: { code: bytes.subarray(0, decoded.length), rip, registers, rflags: next() & 0xcd5, fx, memory, branches: true, fsBase: BigInt(next() % 64), gsBase: BigInt(next() % 64) },
  };
}

/** Whether an operand lies in what silicon's guest needs for itself; an address of registers comes there once in many millions. */
function reachesDriver({ operands, length }: Decoded, rip: number): boolean {
  return operands.some((operand) => {
    if (operand.kind !== 'memory' || typeof operand.base === 'number') return false;
    const address = Number(BigInt.asUintN(32, operand.displacement)) + (operand.base === 'rip' ? rip + length : 0);
    return address % 2 ** 32 > base - 4096 && address % 2 ** 32 < base + ramSize + 4096;
  });
}

/** Most memory operands come to lie in the window. */
function aim({ instruction, operands, length }: Decoded, registers: BigUint64Array, next: Next): void {
  for (const operand of operands) {
    if (operand.kind !== 'memory' || typeof operand.base !== 'number' || operand.base === operand.index || next() % 16 === 0) continue;
    const index = operand.index === undefined ? 0n : (registers[operand.index] as bigint) << BigInt(operand.scale);
    // Most of what has to be aligned is.
    const mask = instruction.unit === 'sse' && operand.width === 128 && next() % 8 !== 0 ? ~15n : -1n;
    registers[operand.base] = BigInt.asUintN(64, (dataAddress(next) & mask) - operand.displacement - index);
  }
  if (length === 0) throw new Error('an instruction without bytes');
  for (const number of [6, 7]) if (next() % 2 === 0 && !operands.some((each) => each.kind === 'memory' && each.base === number)) registers[number] = dataAddress(next);
}
