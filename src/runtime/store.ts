import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DelosError } from '../lib/errors.ts';
import { parseJson } from '../oci/config/json.ts';
import { syscall, SystemCallError } from '../sys/syscall.ts';
import { checkId } from './container-id.ts';
import { jsonText } from './json-text.ts';
import type { ContainerRecord } from './record.ts';

const recordFile = 'state.json';

/** flock(2). */
const LOCK_EX = 2;
const LOCK_NB = 4;
/** How long a command waits for another one on the same container. */
const lockTimeoutMs = 10_000;

/** Where containers are when no `--root` is given: /run/delos for root, the user's runtime folder for others. */
export function defaultRoot(): string {
  const uid = process.geteuid?.() ?? 0;
  if (uid === 0) return '/run/delos';
  return path.join(process.env['XDG_RUNTIME_DIR'] || `/run/user/${uid}`, 'delos');
}

/** The folder of a container, there or not. @throws DelosError bad-id */
export function containerFolder(root: string, id: string): string {
  checkId(id);
  return path.join(root, id);
}

/**
 * Takes the id: makes the container's folder, which nobody else can then, and writes the record into it. Gives the folder.
 * @throws DelosError bad-id, exists, io
 */
export function reserve(root: string, record: ContainerRecord): string {
  const folder = containerFolder(root, record.id);
  try {
    fs.mkdirSync(root, { recursive: true, mode: 0o700 });
    fs.mkdirSync(folder, { mode: 0o711 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST' && fs.existsSync(folder)) {
      throw new DelosError('exists', `container with given ID already exists: ${record.id}`, { cause });
    }
    throw new DelosError('io', `${folder}: cannot be made: ${code}`, { cause });
  }
  try {
    writeRecord(folder, record);
  } catch (error) {
    removeFolder(folder);
    throw error;
  }
  return folder;
}

/** Writes the record aside and renames it, so that a reader finds the old or the new one, whole. @throws DelosError io */
export function writeRecord(folder: string, record: ContainerRecord): void {
  const target = path.join(folder, recordFile);
  const aside = `${target}.${process.pid}`;
  try {
    const fd = fs.openSync(aside, 'wx', 0o600);
    try {
      fs.writeFileSync(fd, jsonText(record));
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(aside, target);
  } catch (cause) {
    fs.rmSync(aside, { force: true });
    throw new DelosError('io', `${target}: cannot be written: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

/** @throws DelosError bad-id, not-found, io for a record that cannot be understood */
export function readRecord(root: string, id: string): ContainerRecord {
  const file = path.join(containerFolder(root, id), recordFile);
  let bytes: Uint8Array;
  try {
    bytes = fs.readFileSync(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new DelosError('not-found', 'container does not exist', { cause });
    throw new DelosError('io', `${file}: cannot be read: ${code}`, { cause });
  }
  const record = parseJson(bytes, file) as Partial<ContainerRecord> | null;
  if (record?.version !== 1 || record.id !== id || typeof record.config !== 'object' || typeof record.cgroup !== 'object') {
    throw new DelosError('io', `${file}: expected the record of container ${id} in version 1`);
  }
  return record as ContainerRecord;
}

/** The records that can be read, by id; what else lies under `root` is none of a container's business. Empty when there is no root. */
export function listRecords(root: string): ContainerRecord[] {
  let names: string[];
  try {
    names = fs.readdirSync(root).toSorted();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new DelosError('io', `${root}: cannot be read: ${code}`, { cause });
  }
  return names.flatMap((name) => {
    try {
      return [readRecord(root, name)];
    } catch (error) {
      // Half made, half removed, or not a container: one bad folder must not hide the others.
      if (error instanceof DelosError) return [];
      throw error;
    }
  });
}

/** Removes the folder with all in it and gives the id back. What is not there is no failure. */
export function removeFolder(folder: string): void {
  fs.rmSync(folder, { recursive: true, force: true });
}

/**
 * Keeps other commands from changing the container until disposed of; the kernel does that too when this process dies.
 * @throws DelosError not-found, wrong-state when another command does not end
 */
export async function lockContainer(root: string, id: string): Promise<Disposable> {
  const fd = openFolder(containerFolder(root, id));
  try {
    const deadline = performance.now() + lockTimeoutMs;
    for (let pauseMs = 1; !tryLock(fd); pauseMs = Math.min(pauseMs * 2, 50)) {
      if (performance.now() > deadline) throw new DelosError('wrong-state', `container ${id} is being changed by another command`);
      await sleep(pauseMs);
    }
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  return { [Symbol.dispose]: () => fs.closeSync(fd) };
}

function openFolder(folder: string): number {
  try {
    return fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW);
  } catch (cause) {
    throw new DelosError('not-found', 'container does not exist', { cause });
  }
}

function tryLock(fd: number): boolean {
  try {
    syscall('flock', fd, LOCK_EX | LOCK_NB);
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === 'EAGAIN') return false;
    throw error;
  }
}
