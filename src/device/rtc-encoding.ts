/** How an MC146818 writes numbers: decimal or binary, hours of 12 or of 24, as its register B says (data sheet, section "Register B"). */

/** DM: binary. */
const B_BINARY = 0x04;
/** 24 hours. */
export const B_24 = 0x02;

/** In hours of 12. */
const AFTERNOON = 0x80;

/** @param value 0 to 99 @param mode register B */
export function encode(value: number, mode: number): number {
  return (mode & B_BINARY) !== 0 ? value : (Math.floor(value / 10) << 4) | value % 10;
}

export function decode(value: number, mode: number): number {
  return (mode & B_BINARY) !== 0 ? value : (value >> 4) * 10 + (value & 15);
}

/** @param hour 0 to 23 */
export function encodeHour(hour: number, mode: number): number {
  if ((mode & B_24) !== 0) return encode(hour, mode);
  return encode(hour % 12 || 12, mode) | (hour >= 12 ? AFTERNOON : 0);
}

export function decodeHour(value: number, mode: number): number {
  if ((mode & B_24) !== 0) return decode(value, mode);
  return (decode(value & 0x7f, mode) % 12) + ((value & AFTERNOON) === 0 ? 0 : 12);
}
