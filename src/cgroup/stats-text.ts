import { DelosError } from '../lib/errors.ts';

/** What the kernel's u64 files call "no limit" in a number. */
export const UINT64_MAX = 2n ** 64n - 1n;

/** One line of a table by device; `op` is what was counted, `Read` or `Write`. */
export interface DeviceCount {
  readonly major: bigint;
  readonly minor: bigint;
  readonly op: string;
  readonly value: bigint;
}

export interface Pressure {
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  /** Microseconds. */
  readonly total: bigint;
}

/** The text of a file with one number in it. `max` is {@link UINT64_MAX}. @throws DelosError io for anything else. */
export function parseValue(text: string, file: string): bigint {
  const trimmed = text.trim();
  if (trimmed === 'max') return UINT64_MAX;
  return number(trimmed, file);
}

/** `key number` a line: memory.stat, cpu.stat, memory.events. @throws DelosError io for a line that is none. */
export function parseKeyed(text: string, file: string): Map<string, bigint> {
  const values = new Map<string, bigint>();
  for (const line of linesOf(text)) {
    const [key, value, rest] = line.split(/\s+/);
    if (key === undefined || value === undefined || rest !== undefined) throw invalid(file, line);
    values.set(key, value === 'max' ? UINT64_MAX : number(value, file));
  }
  return values;
}

/** v1's tables, `8:0 Read 4096` a line; the sums at the end are left out. @throws DelosError io for a line that is none. */
export function parseDeviceTable(text: string, file: string): DeviceCount[] {
  return linesOf(text).flatMap((line) => {
    if (line.startsWith('Total')) return [];
    const [, major, minor, op, value] = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line) ?? [];
    if (major === undefined || minor === undefined || op === undefined || value === undefined) throw invalid(file, line);
    return [{ major: BigInt(major), minor: BigInt(minor), op, value: BigInt(value) }];
  });
}

/** io.stat, `8:0 rbytes=1 wbytes=2 ...` a line, by key. A device without numbers yet gives none. @throws DelosError io. */
export function parseIoStat(text: string, file: string): Map<string, DeviceCount[]> {
  const tables = new Map<string, DeviceCount[]>();
  for (const line of linesOf(text)) {
    const [device, ...counts] = line.trim().split(/\s+/);
    const [, major, minor] = /^(\d+):(\d+)$/.exec(device ?? '') ?? [];
    if (major === undefined || minor === undefined) throw invalid(file, line);
    for (const count of counts) {
      const [key = '', value = ''] = count.split('=');
      // Keys of iocost and iolatency hold fractions and words.
      if (!/^[rwd](bytes|ios)$/.test(key)) continue;
      const table = tables.get(key) ?? [];
      tables.set(key, table);
      table.push({ major: BigInt(major), minor: BigInt(minor), op: opNames[key[0] ?? ''] ?? key, value: number(value, file) });
    }
  }
  return tables;
}

const opNames: Readonly<Record<string, string>> = { r: 'Read', w: 'Write', d: 'Discard' };

/** Pressure stall information, Documentation/accounting/psi.rst. @throws DelosError io. */
export function parsePressure(text: string, file: string): Map<string, Pressure> {
  return new Map(linesOf(text).map((line) => {
    const [, name, avg10, avg60, avg300, total] = /^(some|full) avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+) total=(\d+)$/.exec(line) ?? [];
    if (name === undefined || total === undefined) throw invalid(file, line);
    return [name, { avg10: Number(avg10), avg60: Number(avg60), avg300: Number(avg300), total: BigInt(total) }] as const;
  }));
}

/** A list of numbers and ranges such as `0-2,5`, cpuset(7). @throws DelosError io. */
export function parseNumberList(text: string, file: string): number[] {
  return text.trim().split(',').filter((part) => part !== '').flatMap((part) => {
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined) throw invalid(file, part);
    const [from, to] = [Number(first), Number(last ?? first)];
    if (to < from || to > 65_535) throw invalid(file, part);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function number(text: string, file: string): bigint {
  if (!/^-?\d{1,20}$/.test(text)) throw invalid(file, text);
  return BigInt(text);
}

/** `Invalid memory value`: which controller, and which of its files. */
function invalid(file: string, found: string): DelosError {
  return new DelosError('io', `Invalid ${file.slice(0, file.indexOf('.'))} value: ${file}: found ${JSON.stringify(found.slice(0, 80))}`);
}
