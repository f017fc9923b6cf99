import path from 'node:path/posix';
import { DelosError } from '../lib/errors.ts';
import { parseJson } from '../oci/config/json.ts';
import { jsonText } from './json-text.ts';
import type { ContainerRecord } from './record.ts';

/** What state.json holds. Read again by {@link parseRecord} it is the same record. */
export function recordText(record: ContainerRecord): string {
  return `${jsonText(record)}\n`;
}

const strings = ['ociVersion', 'id', 'bundle', 'rootfs', 'created'] as const;
const booleans = ['rootless', 'systemdCgroup'] as const;

/**
 * The record in the text of a state.json. Its configuration was checked when it was written and is not checked again.
 * @param file names the document in messages
 * @throws DelosError io for anything that is no record of version 1
 */
export function parseRecord(document: string | Uint8Array, file: string): ContainerRecord {
  const value = parsed(document, file);
  if (!isObject(value)) throw invalid(file, 'an object', value);
  if (value['version'] !== 1) throw invalid(`${file}: version`, '1', value['version']);
  for (const key of strings) if (typeof value[key] !== 'string') throw invalid(`${file}: ${key}`, 'a string', value[key]);
  for (const key of booleans) if (typeof value[key] !== 'boolean') throw invalid(`${file}: ${key}`, 'true or false', value[key]);
  if (!Number.isInteger(value['owner'])) throw invalid(`${file}: owner`, 'a uid', value['owner']);
  if (!isObject(value['config'])) throw invalid(`${file}: config`, 'an object', value['config']);
  const { cgroup } = value;
  if (!isObject(cgroup) || !Object.values(cgroup).every(isNormalPath)) {
    throw invalid(`${file}: cgroup`, 'absolute directories by controller', cgroup);
  }
  return value as unknown as ContainerRecord;
}

function parsed(document: string | Uint8Array, file: string): unknown {
  try {
    return parseJson(document, file);
  } catch (cause) {
    throw cause instanceof DelosError ? new DelosError('io', cause.message, { cause }) : cause;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(place: string, expected: string, found: unknown): DelosError {
  const text = found === undefined ? 'nothing' : jsonText(found).slice(0, 64);
  return new DelosError('io', `${place}: expected ${expected}, found ${text}`);
}

/** It is going to be removed with all in it, so a place that is spelled in a roundabout way is not taken. */
function isNormalPath(directory: unknown): boolean {
  return typeof directory === 'string' && path.isAbsolute(directory) && path.normalize(directory) === directory;
}
