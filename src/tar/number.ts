/**
 * A number field of a header: octal digits between blanks and NULs; or, with the first bit set, the rest of the field as a big-endian
 * two's complement number (GNU). An empty field is 0.
 * @returns undefined when it is neither, or beyond what a number holds exactly
 */
export function readNumber(block: Uint8Array, start: number, length: number): number | undefined {
  const first = block[start] as number;
  if ((first & 0x80) !== 0) return readBase256(block, start, length);
  let at = start;
  let end = start + length;
  const blank = (byte: number | undefined): boolean => byte === 0 || byte === 0x20;
  while (at < end && blank(block[at])) at++;
  while (end > at && blank(block[end - 1])) end--;
  let value = 0;
  for (; at < end; at++) {
    const digit = (block[at] as number) - 0x30;
    // What stands behind a NUL is rubbish of an older use of the field.
    if (digit === -0x30) break;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  return value;
}

function readBase256(block: Uint8Array, start: number, length: number): number | undefined {
  const first = block[start] as number;
  const negative = (first & 0x40) !== 0;
  const flip = negative ? 0xff : 0;
  let value = (first ^ flip) & 0x7f;
  for (let at = start + 1; at < start + length; at++) {
    value = value * 256 + ((block[at] as number) ^ flip);
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return negative ? -value - 1 : value;
}

/** Writes octal digits with a NUL behind them. False, and nothing written, when the number has no such form or no place. */
export function writeNumber(block: Uint8Array, start: number, length: number, value: number): boolean {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 8 ** (length - 1)) return false;
  const digits = value.toString(8).padStart(length - 1, '0');
  for (let at = 0; at < length - 1; at++) block[start + at] = digits.charCodeAt(at);
  block[start + length - 1] = 0;
  return true;
}

const DECIMAL = /^-?\d{1,16}$/;

/** A whole decimal number of an extended header; undefined when it is none, or beyond what a number holds exactly. */
export function readDecimal(text: string): number | undefined {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** `1234.000000567`, `-1.5`: a time of an extended header; digits below nanoseconds are cut off towards the past. */
export function readTime(text: string): { seconds: number; nanoseconds: number } | undefined {
  const parts = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (parts === null) return undefined;
  const whole = Number(parts[2]);
  const digits = parts[3] ?? '';
  const nanoseconds = Number(digits.slice(0, 9).padEnd(9, '0'));
  if (parts[1] === '') return { seconds: whole, nanoseconds };
  const rest = nanoseconds + (/[1-9]/.test(digits.slice(9)) ? 1 : 0);
  return rest === 0 ? { seconds: 0 - whole, nanoseconds: 0 } : { seconds: -whole - 1, nanoseconds: 1_000_000_000 - rest };
}

/** The text of a time for an extended header: the inverse of {@link readTime}. */
export function writeTime({ seconds, nanoseconds }: { seconds: number; nanoseconds: number }): string {
  if (nanoseconds === 0) return String(seconds);
  if (seconds >= 0) return `${seconds}.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  return `-${-seconds - 1}.${String(1_000_000_000 - nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
}
