/** x87 to and from memory and between its registers (SDM volume 1, 8.3.3 and 8.3.4). */

import { RFLAGS } from '../../builder.ts';
import { segmentName } from '../../registers.ts';
import type { OperationTable } from '../operation.ts';
import type { Processor } from '../processor.ts';
import { checkPending } from '../fpu-state.ts';
import { begin, DE, given, IE, indefinite, isEmpty, pop, push, raised, read, setEmpty, stackFault, turn, write, type Extended } from './stack.ts';

/** Formats of numbers in memory. */
export const FORMAT = { f32: 0, f64: 1, f80: 2, i16: 3, i32: 4, i64: 5, bcd: 6 } as const;

const loadBytes = (processor: Processor, segment: bigint, offset: bigint, bytes: number): bigint => processor.readSegment(Number(segment), offset, bytes);

const bytesOf: Readonly<Record<number, number>> = { 0: 4, 1: 8, 2: 10, 3: 2, 4: 4, 5: 8, 6: 10 };

/**
 * The bits of a number in memory, and the begin of an instruction that uses it: when memory faults, nothing has changed, and before that comes an
 * exception that waits.
 */
export function beginWith(processor: Processor, format: number, segment: bigint, offset: bigint): bigint {
  checkPending(processor);
  const bytes = bytesOf[format] as number;
  if (bytes > 8) probe(processor, segment, offset, bytes, false);
  const low = loadBytes(processor, segment, offset, Math.min(bytes, 8));
  const bits = bytes > 8 ? (loadBytes(processor, segment, offset + 8n, bytes - 8) << 64n) | low : low;
  begin(processor);
  return bits;
}

/**
 * A number in memory as it comes to the stack.
 * @param unused it is only read: there is no place for it, which comes before what it could raise
 * @returns undefined when it is not to be stored
 */
export function readNumber(processor: Processor, format: number, bits: bigint, unused = false): Extended | undefined {
  const value = convertNumber(processor, format, bits);
  if (!unused) raised(processor);
  // A denormal number comes to the stack even where that is an exception.
  const stored = unused || (processor.registers.number('fsw') & ~processor.registers.number('fcw') & IE) === 0;
  processor.float.flags.value = 0;
  return stored ? value : undefined;
}

function convertNumber(processor: Processor, format: number, bits: bigint): Extended {
  const { float } = processor;
  switch (format) {
    case FORMAT.f32: return given(processor, float.f32ToF80(Number(BigInt.asIntN(32, bits))));
    case FORMAT.f64: return given(processor, float.f64ToF80(bits));
    case FORMAT.i16: return given(processor, float.i64ToF80(BigInt.asIntN(16, bits)));
    case FORMAT.i32: return given(processor, float.i64ToF80(BigInt.asIntN(32, bits)));
    case FORMAT.i64: return given(processor, float.i64ToF80(BigInt.asIntN(64, bits)));
    default: {
      const [low, upper] = [BigInt.asUintN(64, bits), Number(bits >> 64n)];
      return format === FORMAT.bcd ? given(processor, float.bcdToF80(upper, low)) : { upper, significand: low };
    }
  }
}

/** As far as a number is about to be used: a NaN as it is, since two of them are compared before they are made quiet; whether it was denormal. */
export function widen(processor: Processor, format: number, bits: bigint): { readonly value: Extended; readonly isDenormal: boolean } {
  const value = format === FORMAT.f32 ? nanOf(bits, 8, 23) : format === FORMAT.f64 ? nanOf(bits, 11, 52) : undefined;
  if (value !== undefined) return { value, isDenormal: false };
  const converted = convertNumber(processor, format, bits);
  const isDenormal = (processor.float.exceptionsF80(0) & DE) !== 0;
  processor.float.flags.value = 0;
  return { value: converted, isDenormal };
}

/** Undefined when it is none. @param exponentBits of the format, which has `digits` behind the point */
function nanOf(bits: bigint, exponentBits: number, digits: number): Extended | undefined {
  const fraction = BigInt.asUintN(digits, bits);
  const exponent = Number(BigInt.asUintN(exponentBits, bits >> BigInt(digits)));
  if (exponent !== 2 ** exponentBits - 1 || fraction === 0n) return undefined;
  const sign = Number(bits >> BigInt(digits + exponentBits)) << 15;
  return { upper: sign | 0x7fff, significand: (1n << 63n) | (fraction << BigInt(63 - digits)) };
}

const isCanonical = (offset: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, offset)) === BigInt.asUintN(64, offset);

/** Looks at all pages of an access before anything happens; that there is no address for the second comes before what the first one lacks. */
function probe(processor: Processor, segment: bigint, offset: bigint, bytes: number, write: boolean): void {
  const number = Number(segment);
  const linear = offset + (processor.long && number < 4 ? 0n : processor.registers.wide(`${segmentName(number)}Base`));
  const toEnd = 4096n - (linear & 4095n);
  const crosses = toEnd < BigInt(bytes);
  if (!crosses || isCanonical(linear + toEnd)) processor.bytesAt(number, offset, 1, write);
  if (crosses) processor.bytesAt(number, BigInt.asUintN(64, offset + toEnd), 1, write);
}

/** What is stored of an empty register: the indefinite of the format. */
const indefinites: Readonly<Record<number, bigint>> = {
  0: 0xffc00000n, 1: 0xfff8000000000000n, 2: (0xffffn << 64n) | indefinite.significand, 3: 0x8000n, 4: 0x80000000n, 5: 1n << 63n, 6: 0xffffc000000000000000n,
};

/** The bits of a number in a format. */
function convert(processor: Processor, format: number, { upper, significand }: Extended, control: number): bigint {
  const { float } = processor;
  switch (format) {
    case FORMAT.f32: return BigInt.asUintN(32, BigInt(float.f80ToF32(upper, significand, control)));
    case FORMAT.f64: return BigInt.asUintN(64, float.f80ToF64(upper, significand, control));
    case FORMAT.f80: return (BigInt(upper) << 64n) | significand;
    case FORMAT.i16: return BigInt.asUintN(16, BigInt(float.f80ToI16(upper, significand, control)));
    case FORMAT.i32: return BigInt.asUintN(32, BigInt(float.f80ToI32(upper, significand, control)));
    case FORMAT.i64: return BigInt.asUintN(64, float.f80ToI64(upper, significand, control));
    default: {
      const digits = BigInt.asUintN(64, float.f80ToBcd(upper, significand, control));
      return (BigInt(float.high.value & 0xffff) << 64n) | digits;
    }
  }
}

function storeBytes(processor: Processor, segment: bigint, offset: bigint, bits: bigint, bytes: number): void {
  processor.writeSegment(Number(segment), offset, Math.min(bytes, 8), BigInt.asUintN(64, bits));
  if (bytes > 8) processor.writeSegment(Number(segment), offset + 8n, bytes - 8, bits >> 64n);
}

/** Rounding control of FISTTP: towards zero. */
const truncating = 0xc00;
const unmaskable = 0x3f;

/** Memory is looked at first: its fault comes before an exception of the number, and leaves all as it was. */
function store(processor: Processor, what: bigint, offset: bigint, segment: bigint): void {
  const [format, pops, truncates] = [Number(what & 7n), (what & 8n) !== 0n, (what & 16n) !== 0n];
  checkPending(processor);
  probe(processor, segment, offset, bytesOf[format] as number, true);
  begin(processor);
  const { registers } = processor;
  const control = registers.number('fcw') | (truncates ? truncating : 0);
  const empty = isEmpty(processor, 0);
  const bits = empty ? (indefinites[format] as bigint) : convert(processor, format, read(processor, 0), control);
  const before = registers.number('fsw');
  const stored = empty ? stackFault(processor, false) : raised(processor);
  // Of an unmasked overflow or underflow nothing goes to memory either.
  const unmasked = registers.number('fsw') & ~before & ~registers.number('fcw') & unmaskable & ~0x20;
  if (!stored || unmasked) return;
  storeBytes(processor, segment, offset, bits, bytesOf[format] as number);
  if (pops) pop(processor);
}

const conditions: readonly ((flags: number) => boolean)[] = [
  (flags) => (flags & RFLAGS.CF) !== 0, (flags) => (flags & RFLAGS.ZF) !== 0, (flags) => (flags & (RFLAGS.CF | RFLAGS.ZF)) !== 0, (flags) => (flags & RFLAGS.PF) !== 0,
];

export const x87Transfer: OperationTable = {
  /** Format, offset, segment. */
  fld(processor, format, offset, segment) {
    const bits = beginWith(processor, Number(format), segment, offset);
    const full = !isEmpty(processor, 7);
    const value = readNumber(processor, Number(format), bits, full);
    if (value !== undefined || full) push(processor, value ?? indefinite);
  },
  fldRegister(processor, register) {
    begin(processor);
    const index = Number(register);
    if (!isEmpty(processor, index)) {
      push(processor, read(processor, index));
    } else if (stackFault(processor, false)) {
      turn(processor, -1);
      write(processor, 0, indefinite);
    }
  },
  /** FLD1 and so on, by number. */
  fldConstant(processor, index) {
    begin(processor);
    push(processor, given(processor, processor.float.constantF80(Number(index), processor.registers.number('fcw'))));
  },
  /** Format | pop 8 | truncate 16, offset, segment. */
  fst: store,
  /** ST(i), whether it pops: 1 yes, 2 yes and nobody asks whether ST(0) is empty. */
  fstRegister(processor, register, pops) {
    begin(processor);
    const empty = isEmpty(processor, 0);
    if (empty && pops !== 2n) {
      if (!stackFault(processor, false)) return;
      write(processor, Number(register), indefinite);
    } else if (!empty) {
      write(processor, Number(register), read(processor, 0));
    }
    if (pops !== 0n) pop(processor);
  },
  fxch(processor, register) {
    begin(processor);
    const index = Number(register);
    const empty = [isEmpty(processor, 0), isEmpty(processor, index)];
    if ((empty[0] || empty[1]) && !stackFault(processor, false)) return;
    const [x, y] = [empty[0] ? indefinite : read(processor, 0), empty[1] ? indefinite : read(processor, index)];
    write(processor, 0, y);
    write(processor, index, x);
  },
  /** Condition (0 to 3, 4 more for its opposite), ST(i). C1 is cleared by a fault of the stack alone. */
  fcmov(processor, which, register) {
    checkPending(processor);
    const index = Number(register);
    const holds = (conditions[Number(which & 3n)] as (flags: number) => boolean)(processor.flags()) === ((which & 4n) === 0n);
    if (isEmpty(processor, 0) || isEmpty(processor, index)) {
      if (stackFault(processor, false)) write(processor, 0, indefinite);
    } else if (holds) {
      write(processor, 0, read(processor, index));
    }
  },
  ffree(processor, register, pops) {
    begin(processor);
    setEmpty(processor, Number(register), true);
    if (pops !== 0n) pop(processor);
  },
};
