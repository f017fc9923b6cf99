import { AsyncLocalStorage } from 'node:async_hooks';
import fs from 'node:fs';
import { DelosError } from '../../lib/errors.ts';

/** How long to wait before a full pipe is tried again. */
const retryMs = 2;

/** Where the output of a command goes that is answered for another process: collected, instead of written to descriptors. */
export const collected = new AsyncLocalStorage<{ output: string; errors: string }>();

/**
 * Writes all of a text to a descriptor before it returns. `process.stdout` must not be touched in this program: libuv would make
 * the descriptor non-blocking, and the container has the same open file.
 * @throws DelosError io; so a reader that has gone ends the command
 */
export function writeText(fd: number, text: string): void {
  const collector = collected.getStore();
  if (collector && fd === 1) collector.output += text;
  else if (collector && fd === 2) collector.errors += text;
  else writeAll(fd, text);
}

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSome(fd, bytes.subarray(at));
}

/** To standard output. @throws DelosError io */
export function print(text: string): void {
  writeText(1, text);
}

function writeSome(fd: number, bytes: Uint8Array): number {
  try {
    return fs.writeSync(fd, bytes);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EAGAIN') throw new DelosError('io', `descriptor ${fd} cannot be written: ${code}`, { cause });
    // Our caller has made it non-blocking.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
    return 0;
  }
}
