import { DelosError } from '../lib/errors.ts';

const KIB = 1024;
const binaryLetters = 'kmgtp';
const decimalUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/**
 * A size as docker's memory flags take it: `512`, `512b`, `64k`, `1.5g`, `1GiB`; every unit is a power of 1024.
 * Returns bytes, rounded down, at most 2^53 - 1. Throws `bad-usage` for anything else, a negative number included.
 */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text);
  if (match === null) throw new DelosError('bad-usage', `invalid size '${text}': expected a number with an optional unit b, k, m, g, t or p`);
  const power = binaryLetters.indexOf((match[2] ?? '').toLowerCase());
  const scale = match[2] === '' ? 1 : KIB ** (power + 1);
  const bytes = Math.floor(Number(match[1]) * scale);
  if (!Number.isSafeInteger(bytes)) throw new DelosError('bad-usage', `invalid size '${text}': too large`);
  return bytes;
}

/** A decimal number of processors, `0.5` or `2`, to at most nine places (the engine counts in billionths). Throws `bad-usage`. */
export function parseCpus(text: string): number {
  if (!/^(\d+(\.\d*)?|\.\d+)$/.test(text)) throw new DelosError('bad-usage', `invalid number of CPUs '${text}': expected a decimal number such as 1.5`);
  const places = text.split('.')[1]?.length ?? 0;
  if (places > 9) throw new DelosError('bad-usage', `invalid number of CPUs '${text}': at most nine decimal places`);
  return Number(text);
}

const durationUnits: Readonly<Record<string, number>> = {
  ns: 1e-6, us: 1e-3, 'µs': 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000,
};

/** A duration as Go writes it (`10s`, `1m30s`, `1.5h`, `250ms`, `0`), in milliseconds. Throws `bad-usage`. */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  const part = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/y;
  let total = 0;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (match === null) break;
    total += Number(match[1]) * (durationUnits[match[2] ?? ''] ?? 0);
    if (part.lastIndex === text.length) return total;
  }
  throw new DelosError('bad-usage', `invalid duration '${text}': expected a number with a unit, such as 10s or 1m30s`);
}

/** A whole number, decimal or `0x` hexadecimal, within 2^53. Throws `bad-usage`. */
export function parseInteger(text: string): number {
  const value = /^[+-]?\d+$/.test(text) || /^0x[\da-f]+$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new DelosError('bad-usage', `invalid number '${text}': expected a whole number`);
  return value;
}

/** The spellings Go's flag packages accept for a boolean. Throws `bad-usage`. */
export function parseBoolean(text: string): boolean {
  switch (text) {
    case '1': case 't': case 'T': case 'true': case 'TRUE': case 'True': return true;
    case '0': case 'f': case 'F': case 'false': case 'FALSE': case 'False': return false;
    default: throw new DelosError('bad-usage', `invalid boolean '${text}': expected true or false`);
  }
}

function scaled(bytes: number, base: number, units: readonly string[], digits: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${Number(value.toPrecision(digits))}${units[unit]}`;
}

/** `1.09kB`, `24.2MB`: powers of 1000, as docker prints the size of images and layers. */
export function decimalSize(bytes: number, digits = 3): string {
  return scaled(bytes, 1000, decimalUnits, digits);
}

/** `1.504GiB`: powers of 1024, as docker prints memory. */
export function binarySize(bytes: number, digits = 4): string {
  return scaled(bytes, KIB, binaryUnits, digits);
}

const HOURS_A_DAY = 24;

/** `Less than a second`, `About a minute`, `3 hours`, `5 weeks`: one rounded unit, in docker's words and at its thresholds. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(seconds / 3600 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 2 * HOURS_A_DAY) return `${hours} hours`;
  const days = Math.floor(hours / HOURS_A_DAY);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}
