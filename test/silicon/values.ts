/** Numbers that integers, floating point and x87 treat in ways of their own, as often as any others. */

import { base, codeWindow, dataWindow, ramSize } from './layout.ts';

/** The next number of 32 bits. */
export type Next = () => number;

const windowBytes = dataWindow.pages.length * 4096;

/** Not an address of what silicon's driver needs for itself. */
export const isDrivers = (address: bigint): boolean => address > BigInt(base - 8192) && address < BigInt(base + ramSize + 8192);

/** 64 bits: small, an address of data or of code, an edge, 32 bits, negative, any. */
export function integer(next: Next): bigint {
  const value = anyInteger(next);
  return isDrivers(value) ? value ^ 0x80000000n : value;
}

function anyInteger(next: Next): bigint {
  switch (next() % 13) {
    case 0: case 1: return BigInt.asUintN(64, BigInt(next() % 5) - 2n);
    case 2: case 3: return BigInt(dataWindow.address + (next() % windowBytes));
    case 4: case 5: return BigInt.asUintN(64, (1n << BigInt(next() % 64)) - BigInt(next() % 2));
    case 6: case 7: return BigInt(next());
    case 8: case 9: return BigInt.asUintN(64, -BigInt(next() % 0x10000));
    case 10: return BigInt(codeWindow.address + (next() % (codeWindow.pages * 4096)));
    default: return (BigInt(next()) << 32n) | BigInt(next());
  }
}

/** Zeros, denormals, the least and greatest, infinities, NaNs, and what no longer fits integers or other formats. */
const singles = [0, 1, 0x7fffff, 0x800000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000, 0x3f800000, 0x3f000000, 0x40200000, 0x4f000000, 0x5f000000, 0x33800000];
const doubles = [
  0n, 1n, (1n << 52n) - 1n, 1n << 52n, 0x7fefffffffffffffn, 0x7ff0000000000000n, 0x7ff0000000000001n, 0x7ff8000000000000n, 0x3ff0000000000000n, 0x3fe0000000000000n,
  0x4004000000000000n, 0x41dfffffffc00000n, 0x43e0000000000000n, 0x36a0000000000000n, 0x47efffffe0000000n,
];
/** Exponents of 15 bits: x87's edges, those of the other formats, of integers, near one. */
const exponents = [0, 1, 0x7fff, 0x7ffe, 0x3fff, 0x3fff - 1022, 0x3fff + 1023, 0x3fff - 126, 0x3fff + 127, 0x3fff + 15, 0x3fff + 31, 0x3fff + 63, 0x3fff + 60];

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

/** 16 bytes of one format at `at`. */
export function putFloats(view: DataView, at: number, next: Next): void {
  if (next() % 2 === 0) for (let lane = 0; lane < 16; lane += 4) view.setUint32(at + lane, single(next), true);
  else for (let lane = 0; lane < 16; lane += 8) view.setBigUint64(at + lane, double(next), true);
}

/** 10 bytes at `at`, one in eight without the leading one that its exponent asks for. */
export function putExtended(view: DataView, at: number, next: Next): void {
  const exponent = next() % 3 === 0 ? (exponents[next() % exponents.length] as number) : next() % 2 === 0 ? 0x3fff - 16 + (next() % 80) : next() % 0x8000;
  const few = next() % 2 === 0;
  view.setUint32(at, few ? 0 : next(), true);
  const leads = exponent !== 0 && next() % 8 !== 0 ? 0x80000000 : next() % 8 === 0 ? 0x80000000 : 0;
  view.setUint32(at + 4, ((few ? (next() % 4) << 29 : next() & 0x7fffffff) & 0x7fffffff) | leads, true);
  view.setUint16(at + 8, exponent | (next() % 2 === 0 ? 0 : 0x8000), true);
}

/** As programs have it before and behind the first inexact result, or with exceptions unmasked, flags and modes. */
export function mxcsr(next: Next): number {
  if (next() % 3 === 0) return 0x1fa0;
  if (next() % 2 === 0) return 0x1f80 | ((next() & 3) << 13);
  return next() % 3 === 0 ? next() & 0xffff : (0x1f80 | (next() & 0xe07f)) & ~(next() % 4 === 0 ? 0x80 << (next() % 6) : 0);
}

/** x87's control word: as FNINIT leaves it, or of every precision that there is and rounding, seldom with exceptions unmasked. */
export function x87Control(next: Next): number {
  if (next() % 2 === 0) return 0x37f;
  const precision = [0, 2, 3][next() % 3] as number;
  const masks = next() % 4 === 0 ? next() & 0x3f : 0x3f;
  return 0x40 | masks | (precision << 8) | ((next() & 3) << 10);
}

/** x87's status word: any top of the stack and conditions; an exception that is unmasked and pending says so. */
export function x87Status(next: Next, control: number): number {
  const flags = next() % 4 === 0 ? next() & 0x7f : 0;
  const pending = (flags & 0x3f & ~control) !== 0 ? 0x8080 : 0;
  return flags | pending | (next() & 0x7f00);
}
