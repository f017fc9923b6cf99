import fs from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../cgroup/control-file.ts';
import { DelosError } from '../lib/errors.ts';

/** Writes a file so that whoever reads it finds the old text or the new one, whole, after a crash of the machine too. @throws DelosError io */
export function writeDurably(file: string, text: string): void {
  const fresh = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`);
  try {
    fs.writeFileSync(fresh, text, { mode: 0o600, flush: true });
    fs.renameSync(fresh, file);
    syncFolder(path.dirname(file));
  } catch (cause) {
    fs.rmSync(fresh, { force: true });
    throw cannot(file, 'written', cause);
  }
}

/** Makes the names in a folder last. */
export function syncFolder(folder: string): void {
  const descriptor = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** The text of a file; nothing where there is none. @throws DelosError io */
export function readIfThere(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw cannot(file, 'read', cause);
  }
}

/** The names in a folder; none where there is no folder. */
export function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** @param what the participle: `read`, `written` */
export function cannot(file: string, what: string, cause: unknown): DelosError {
  if (cause instanceof DelosError) return cause;
  return new DelosError('io', `${file}: cannot be ${what}: ${errnoOf(cause) ?? (cause as Error).message}`, { cause });
}
