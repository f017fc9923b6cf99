import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../cgroup/control-file.ts';
import { DelosError } from '../lib/errors.ts';

/** A piece of a container's output as the monitor has logged it. */
export interface LogEntry {
  /** RFC 3339 with nanoseconds, UTC. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** The line goes on in the next entry of the same stream. */
  readonly partial: boolean;
  /** Without the newline. Bytes, as nothing says that it is text. */
  readonly text: Buffer;
}

/** An entry of the form `TIME stdout F text`. @throws DelosError io for anything else */
export function parseEntry(line: Buffer): LogEntry {
  const match = /^(\S+Z) (stdout|stderr) ([FP]) /.exec(line.toString('latin1', 0, 64));
  const [head = '', time = '', stream, tag] = match ?? [];
  if (match === null) throw new DelosError('io', `log: expected 'TIME stdout F text', found ${JSON.stringify(line.toString('utf8', 0, 64))}`);
  return { time, stream: stream === 'stderr' ? 'stderr' : 'stdout', partial: tag === 'P', text: line.subarray(head.length) };
}

export interface LogOptions {
  /** Go on when the end is reached, as long as this is true. */
  readonly goesOn: () => boolean;
  /** Only this many of the last lines that are there; absent for all. */
  readonly tail?: number | undefined;
}

const pollMs = 50;
const CHUNK = 65536;

/** The entries of a log file, and those to come. A file that is not there is an empty one. */
export async function* readLog(file: string, { goesOn, tail }: LogOptions): AsyncGenerator<LogEntry> {
  let descriptor = openLog(file);
  while (descriptor === undefined) {
    if (!goesOn()) return;
    await sleep(pollMs);
    descriptor = openLog(file);
  }
  try {
    const state = { offset: 0, rest: Buffer.alloc(0) as Buffer };
    if (tail !== undefined) yield* lastLines(readAll(descriptor, state), tail);
    for (;;) {
      // Asked before reading: what was written before the end is then read.
      const more = goesOn();
      const entries = readEntries(descriptor, state);
      yield* entries;
      if (entries.length > 0) continue;
      if (!more) return;
      await sleep(pollMs);
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

function openLog(file: string): number | undefined {
  try {
    return fs.openSync(file, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function readEntries(descriptor: number, state: { offset: number; rest: Buffer }): LogEntry[] {
  const chunk = Buffer.alloc(CHUNK);
  const length = fs.readSync(descriptor, chunk, 0, CHUNK, state.offset);
  state.offset += length;
  let bytes = Buffer.concat([state.rest, chunk.subarray(0, length)]);
  const entries: LogEntry[] = [];
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10)) {
    entries.push(parseEntry(bytes.subarray(0, end)));
    bytes = bytes.subarray(end + 1);
  }
  state.rest = bytes;
  return entries;
}

function readAll(descriptor: number, state: { offset: number; rest: Buffer }): LogEntry[] {
  const all: LogEntry[] = [];
  for (let entries = readEntries(descriptor, state); entries.length > 0; entries = readEntries(descriptor, state)) all.push(...entries);
  return all;
}

/** The last lines of both streams. The pieces of a line belong together, though those of the other stream may stand between them. */
export function lastLines(entries: readonly LogEntry[], count: number): LogEntry[] {
  let lines = 0;
  const open: { stdout?: number | undefined; stderr?: number | undefined } = {};
  const numbered = entries.map((entry) => {
    const line = open[entry.stream] ?? ++lines;
    open[entry.stream] = entry.partial ? line : undefined;
    return { entry, line };
  });
  return numbered.filter(({ line }) => line > lines - count).map(({ entry }) => entry);
}
