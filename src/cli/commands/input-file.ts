import fs from 'node:fs';
import { errnoOf } from '../../cgroup/control-file.ts';
import { DelosError } from '../../lib/errors.ts';

/** At a time, in bytes. */
const CHUNK = 256 << 10;

/**
 * The bytes of a file, or of stdin for `-`.
 * @throws DelosError io for a file that cannot be read; bad-usage for a terminal
 */
export function readArchive(name: string): AsyncIterable<Uint8Array> {
  if (name === '-') {
    if (process.stdin.isTTY) throw new DelosError('bad-usage', 'an archive does not come from a terminal: name a file, or redirect stdin');
    return process.stdin as AsyncIterable<Buffer>;
  }
  try {
    return fs.createReadStream(name, { fd: fs.openSync(name, 'r'), highWaterMark: CHUNK }) as AsyncIterable<Buffer>;
  } catch (cause) {
    throw new DelosError('io', `${name}: cannot be read: ${errnoOf(cause) ?? (cause as Error).message}`, { cause });
  }
}
