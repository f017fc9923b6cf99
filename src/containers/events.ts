import fs from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../cgroup/control-file.ts';
import type { Container } from './container.ts';
import type { Places } from './places.ts';

/** Something that has happened to a container, an image, a network or a volume, in docker's words. */
export interface Happening {
  readonly type: 'container' | 'image' | 'network' | 'volume';
  /** `start`, `die`, `health_status: healthy`. */
  readonly action: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** When, if not now: milliseconds since the epoch, to the microsecond. */
  readonly atMs?: number;
}

/** A line of the file: docker's form of an event. */
export interface EventRecord {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: 'local';
  /** Seconds and nanoseconds since the epoch. */
  readonly time: number;
  readonly timeNano: number;
  /** As docker had it before 1.24, for containers and images only. */
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
}

/** Two files of this size at most, some thousands of events, are kept. */
const MOST_BYTES = 1 << 20;

/** Labels are the user's, and may be of any size: more than this is left out. */
const MOST_LINE = 1 << 16;

/** An action may hold the words of a command; more letters of them are left out. */
const MOST_ACTION = 4096;

/** `current`, and `former` that it becomes when it is full. */
export function eventsFile({ data }: Places, which: 'current' | 'former'): string {
  return path.join(data, 'events', which);
}

/**
 * Writes an event down. A line goes into the file with one `write` at its end, so that those of several processes do not mix and none
 * waits for another. What cannot be written is lost: a full disk must not keep a container from being stopped.
 */
export function recordEvent(places: Places, happening: Happening): void {
  try {
    append(places, lineOf(happening));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

/** One of a container, with docker's attributes: its labels, image and name, and what the action has of its own. */
export function containerEvent(
  places: Places, { id, image, name, labels }: Container, action: string, own: Readonly<Record<string, string>> = {}, atMs?: number,
): void {
  recordEvent(places, { type: 'container', action, id, attributes: { ...labels, ...own, image, name }, ...(atMs !== undefined && { atMs }) });
}

/** One of an image. @param id as docker has it: the name for `pull` and `push`, else the image's ID */
export function imageEvent(places: Places, action: 'pull' | 'push' | 'tag' | 'untag' | 'delete' | 'load' | 'import' | 'save', id: string, name = id): void {
  recordEvent(places, { type: 'image', action, id, attributes: { name } });
}

/** One of a network, which is known by its name. @param container the id of the one that it is about */
export function networkEvent(places: Places, action: 'create' | 'connect' | 'disconnect' | 'destroy', name: string, container?: string): void {
  recordEvent(places, { type: 'network', action, id: name, attributes: { ...(container !== undefined && { container }), name, type: 'bridge' } });
}

/** One of a volume. */
export function volumeEvent(places: Places, action: 'create' | 'destroy', name: string): void {
  recordEvent(places, { type: 'volume', action, id: name, attributes: { driver: 'local' } });
}

function append(places: Places, line: string): void {
  const file = eventsFile(places, 'current');
  const descriptor = openToAppend(file);
  try {
    fs.writeSync(descriptor, line);
    if (fs.fstatSync(descriptor).size > MOST_BYTES) rotate(places, fs.fstatSync(descriptor).ino);
  } finally {
    fs.closeSync(descriptor);
  }
}

function openToAppend(file: string): number {
  try {
    return fs.openSync(file, 'a', 0o600);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    makeFolder(path.dirname(file));
    return fs.openSync(file, 'a', 0o600);
  }
}

function makeFolder(folder: string): void {
  try {
    fs.mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Somebody else has made it meanwhile.
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * Makes the full file the former one. Of several that find it full at once one goes first, and the others find another file in its
 * place. Two that look at the same moment would lose a file of few lines, so there is a lock for it, which nobody waits for.
 */
function rotate(places: Places, full: number): void {
  const [current, former, lock] = [eventsFile(places, 'current'), eventsFile(places, 'former'), path.join(places.data, 'events', 'rotating')];
  try {
    fs.mkdirSync(lock);
  } catch {
    // Somebody is at it, or was killed there: then its turn is over after a while.
    const since = fs.statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - since > 10_000) fs.rmdirSync(lock);
    return;
  }
  try {
    if (fs.statSync(current).ino === full) fs.renameSync(current, former);
  } finally {
    fs.rmdirSync(lock);
  }
}

/** The event as a line. */
function lineOf({ type, action: whole, id, attributes, atMs = performance.timeOrigin + performance.now() }: Happening): string {
  const kept = JSON.stringify(attributes).length > MOST_LINE ? pickShort(attributes) : attributes;
  const action = whole.slice(0, MOST_ACTION);
  const from = type === 'container' ? attributes['image'] : undefined;
  const record: EventRecord = {
    ...(type === 'network' || type === 'volume' ? {} : { status: action, id }), ...(from !== undefined && { from }),
    Type: type, Action: action, Actor: { ID: id, Attributes: kept }, scope: 'local',
    // A double holds microseconds since 1970 exactly, and what it prints ends in zeros.
    time: Math.floor(atMs / 1000), timeNano: Math.floor(atMs * 1000) * 1000,
  };
  return `${JSON.stringify(record)}\n`;
}

function pickShort(attributes: Happening['attributes']): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => name === 'image' || name === 'name'));
}
