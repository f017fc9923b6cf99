/** Integers wider than WebAssembly has. */

/** `value` shifted right; any one that is lost leaves the lowest bit set. */
export function shiftRightSticky(value: u64, count: i32): u64 {
  if (count >= 64) return u64(value !== 0);
  return value >> count | u64((value & ((<u64>1 << count) - 1)) !== 0);
}

/** The lower half of the last 128-bit result, whose upper half was returned. */
export let low: u64 = 0;

/** a · b in 128 bits: gives the upper half, leaves the lower one in {@link low}. */
export function multiplyWide(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff, aHigh = a >> 32;
  const bLow = b & 0xffffffff, bHigh = b >> 32;
  const lowest = aLow * bLow;
  const middle = aHigh * bLow + (lowest >> 32);
  const other = aLow * bHigh + (middle & 0xffffffff);
  low = other << 32 | lowest & 0xffffffff;
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}

/**
 * (high · 2^64 + low) / divisor for high < divisor and a divisor with bit 63 set: gives the quotient, leaves the remainder in {@link low}.
 * Two steps of schoolbook division by digits of 32 bits (Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D).
 */
export function divideWide(high: u64, lower: u64, divisor: u64): u64 {
  const first = divideDigit(high, lower >> 32, divisor);
  const second = divideDigit(low, lower & 0xffffffff, divisor);
  return first << 32 | second;
}

/** One digit: (high · 2^32 + digit) / divisor, remainder in {@link low}. */
function divideDigit(high: u64, digit: u64, divisor: u64): u64 {
  const top = divisor >> 32, bottom = divisor & 0xffffffff;
  let quotient = high / top;
  let rest = high - quotient * top;
  while (quotient >> 32 !== 0 || quotient * bottom > (rest << 32 | digit)) {
    quotient -= 1;
    rest += top;
    if (rest >> 32 !== 0) break;
  }
  low = (high << 32 | digit) - quotient * divisor;
  return quotient;
}
