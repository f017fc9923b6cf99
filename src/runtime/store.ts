import fs from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../cgroup/control-file.ts';
import { DelosError } from '../lib/errors.ts';
import { badId, checkId } from './container-id.ts';
import { parseRecord, recordText } from './record-text.ts';
import type { ContainerRecord } from './record.ts';

/** A container of a listing, or a folder that holds none that can be read. */
export type StoreEntry =
  | { readonly id: string; readonly record: ContainerRecord }
  | { readonly id: string; readonly fault: DelosError };

/** Others may pass through to the fifo, since init opens it with the container's ids, and may list nothing. */
const FOLDER_MODE = 0o711;

/** Where containers are when no `--root` is given: /run/delos for root, the user's runtime folder for others. */
export function defaultRoot(): string {
  const uid = process.geteuid?.() ?? 0;
  return uid === 0 ? '/run/delos' : path.join(process.env['XDG_RUNTIME_DIR'] || `/run/user/${uid}`, 'delos');
}

/** `<root>/<id>`. @throws DelosError bad-id for an id that is none, so that no path leads out of `root`. */
export function containerFolder(root: string, id: string): string {
  checkId(id);
  return path.join(root, id);
}

/**
 * Takes the record's id: makes the container's folder, and `root` if need be, with the record in it. Of several that try at
 * once, one succeeds. When it fails nothing is left.
 * @returns the folder
 * @throws DelosError exists, bad-id, io
 */
export function reserve(root: string, record: ContainerRecord): string {
  const folder = makeFolder(root, record.id);
  try {
    writeRecord(root, record);
  } catch (error) {
    removeFolder(root, record.id);
    throw error;
  }
  return folder;
}

/** Says early what {@link reserve} would say late: the id is taken. @throws DelosError exists, bad-id */
export function requireFree(root: string, id: string): void {
  if (fs.existsSync(containerFolder(root, id))) throw taken(id);
}

function taken(id: string, cause?: unknown): DelosError {
  return new DelosError('exists', `container with given ID already exists: ${id}`, { cause });
}

function makeFolder(root: string, id: string): string {
  const folder = containerFolder(root, id);
  try {
    fs.mkdirSync(root, { recursive: true, mode: FOLDER_MODE });
    fs.mkdirSync(folder);
    // mkdir(2) takes away what the umask says.
    fs.chmodSync(folder, FOLDER_MODE);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'EEXIST' && fs.existsSync(folder)) throw taken(id, cause);
    if (errno === 'ENAMETOOLONG') throw badId(id);
    throw new DelosError('io', `${folder}: cannot be made: ${errno ?? 'an error'}`, { cause });
  }
  return folder;
}

/**
 * Writes state.json into the container's folder. Whoever reads it sees the whole of the old one or the whole of the new one,
 * also when this process is killed. It is not synced to disk: after a crash of the machine there is no container left to know of.
 * @throws DelosError io; nothing is left of a failed attempt
 */
export function writeRecord(root: string, record: ContainerRecord): void {
  const file = stateFile(root, record.id);
  const fresh = `${file}.${process.pid}`;
  const text = recordText(record);
  try {
    fs.writeFileSync(fresh, text, { mode: 0o600 });
    fs.renameSync(fresh, file);
  } catch (cause) {
    fs.rmSync(fresh, { force: true });
    throw new DelosError('io', `${file}: cannot be written: ${errnoOf(cause) ?? 'an error'}`, { cause });
  }
}

/**
 * The record of a container.
 * @throws DelosError not-found, also while `create` has no more than reserved the id; bad-id; io for a state.json that is broken
 */
export function readRecord(root: string, id: string): ContainerRecord {
  const file = stateFile(root, id);
  let text: Buffer;
  try {
    text = fs.readFileSync(file);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ENAMETOOLONG') throw notFound(id, cause);
    throw new DelosError('io', `${file}: cannot be read: ${errno ?? 'an error'}`, { cause });
  }
  const record = parseRecord(text, file);
  if (record.id !== id) throw new DelosError('io', `${file}: expected the record of ${JSON.stringify(id)}, found that of ${JSON.stringify(record.id)}`);
  return record;
}

/** All containers, by id. A folder without a readable record comes as its fault. Empty when `root` does not exist. */
export function listRecords(root: string): StoreEntry[] {
  return folderNames(root).flatMap((id): StoreEntry[] => {
    try {
      return [{ id, record: readRecord(root, id) }];
    } catch (error) {
      if (!(error instanceof DelosError)) throw error;
      const isGone = !fs.existsSync(path.join(root, id));
      return isGone ? [] : [{ id, fault: error }];
    }
  });
}

/**
 * Removes the container's folder with all in it. What is not there is no failure. A maker that does not know yet that its container
 * is being deleted may put something into it meanwhile: then it is tried again.
 * @throws DelosError bad-id, io
 */
export function removeFolder(root: string, id: string): void {
  const folder = containerFolder(root, id);
  for (let attempts = 10; ; attempts--) {
    try {
      return fs.rmSync(folder, { recursive: true, force: true });
    } catch (cause) {
      const errno = errnoOf(cause) ?? 'an error';
      if (errno !== 'ENOTEMPTY' || attempts === 0) throw new DelosError('io', `${folder}: cannot be removed: ${errno}`, { cause });
    }
  }
}

/** That there is no such container. */
export function notFound(id: string, cause?: unknown): DelosError {
  return new DelosError('not-found', `container ${JSON.stringify(id)} does not exist`, { cause });
}

function stateFile(root: string, id: string): string {
  return path.join(containerFolder(root, id), 'state.json');
}

function folderNames(root: string): string[] {
  try {
    return fs.readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).toSorted();
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw new DelosError('io', `${root}: cannot be listed: ${errnoOf(cause) ?? 'an error'}`, { cause });
  }
}
