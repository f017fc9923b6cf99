/** Snapshots as files: written so that one is there whole or not at all, and read by mapping their memory, a page when it is wanted. */

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { SEEK_DATA } from '../abi/fcntl.ts';
import type { GuestMemory } from '../engine/memory.ts';
import { mapRegion } from '../engine/memory-host.ts';
import { DelosError } from '../lib/errors.ts';
import type { Machine } from '../machine/machine.ts';
import type { MachineState } from '../machine/state.ts';
import { syscall, SystemCallError } from '../sys/syscall.ts';
import { chunksOf, filledParts, noDigest, type Chunk, type Digest } from './chunks.ts';
import { decodeHead, decodeHeader, encodeHead, HEADER_SIZE, type SnapshotHeader } from './format.ts';
import { demandSame, type ReadSnapshot } from './snapshot.ts';

const sha256: Digest = (bytes) => createHash('sha256').update(bytes).digest();

/** What the kernel said; undefined for a mistake of ours. */
function errnoOf(error: unknown): string | undefined {
  return error instanceof SystemCallError ? error.errno : (error as NodeJS.ErrnoException).code;
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no space left', EDQUOT: 'there is no space left for this user', EFBIG: 'it is larger than a file may be here',
};

/**
 * Writes a machine to a file, which is there at its name only when all of it is on the disk: a file of that name stays as it was until then.
 * The machine must not run meanwhile, and does not, as this does not wait for anything; what is all zeros takes no place.
 * @throws DelosError `io` when it can't be written: nothing is left of it
 */
export function writeSnapshot(machine: Machine, file: string): void {
  const fresh = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`);
  try {
    const fd = fs.openSync(fresh, 'wx', 0o600);
    try {
      writeAll(machine, fd);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(fresh, file);
    syncFolder(path.dirname(file));
  } catch (error) {
    fs.rmSync(fresh, { force: true });
    const errno = errnoOf(error);
    if (errno === undefined || error instanceof DelosError) throw error;
    throw new DelosError('io', `${file}: the snapshot can't be written: ${reasons[errno] ?? errno}`, { cause: error });
  }
}

/** Memory first, as the head has its digests; how long the head is does not depend on them. */
function writeAll(machine: Machine, fd: number): void {
  const state = machine.save();
  const chunks = [...chunksOf(state.regions)];
  const memoryStart = encodeHead({ state, digests: chunks.map(() => noDigest) }, sha256).length;
  const last = chunks.at(-1);
  if (last !== undefined) fs.ftruncateSync(fd, memoryStart + last.offset + last.size);
  const digests = chunks.map(({ guestAddress, size, offset }) => {
    const bytes = machine.memory.bytes(guestAddress, size);
    const parts = [...filledParts(bytes)];
    for (const [start, end] of parts) writeFully(fd, bytes.subarray(start, end), memoryStart + offset + start);
    return parts.length === 0 ? noDigest : sha256(bytes);
  });
  writeFully(fd, encodeHead({ state, digests }, sha256), 0);
}

/** One write may take a part: what has no space is then told by the next. */
function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) done += fs.writeSync(fd, bytes, done, bytes.length - done, position + done);
}

/** Makes the name in a folder last. */
function syncFolder(folder: string): void {
  const fd = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * A snapshot in a file. Its header, its size and its machine's state have been checked; its memory is checked by {@link check}, before a machine
 * is made of it or while that runs. The file has to stay as it is for as long as a machine lives that is made of it: another in its place
 * does no harm, but writing into it does.
 */
export class SnapshotFile implements ReadSnapshot, Disposable {
  readonly state: MachineState;
  readonly #file: string;
  readonly #fd: number;
  readonly #header: SnapshotHeader;
  readonly #digests: readonly Uint8Array[];

  /** @throws DelosError `io` for a file that can't be read, `bad-snapshot` for one that is no snapshot or a damaged one */
  constructor(file: string) {
    this.#file = file;
    this.#fd = this.#io(() => fs.openSync(file, 'r'));
    try {
      const stat = this.#io(() => fs.fstatSync(this.#fd));
      if (!stat.isFile()) throw new DelosError('bad-snapshot', `${file}: this is no file, and a snapshot is one`);
      const head = this.#named(() => decodeHeader(this.#read(0, Math.min(HEADER_SIZE, stat.size)), stat.size));
      const { state, digests } = this.#named(() => decodeHead(this.#read(0, head.memoryStart), head, sha256));
      this.#header = head;
      this.#digests = digests;
      this.state = state;
    } catch (error) {
      fs.closeSync(this.#fd);
      throw error;
    }
  }

  /** Maps the file's memory in the machine's place, of whichever engine: nothing is read before it is wanted, and what the guest writes stays its own. */
  fill(memory: GuestMemory): void {
    let offset = this.#header.memoryStart;
    for (const region of memory.regions) {
      const place = { fd: this.#fd, offset, private: true };
      this.#io(() => mapRegion(memory, region, place));
      offset += region.size;
    }
  }

  /**
   * Reads the memory's chunks one after the other and lets others have the thread between them.
   * @throws DelosError `bad-snapshot` at the first that is not as it was written
   */
  async check(signal?: AbortSignal): Promise<void> {
    for (const [at, chunk] of [...chunksOf(this.state.regions)].entries()) {
      if (signal?.aborted === true) return;
      if (this.#isHole(chunk)) this.#named(() => demandSame(chunk, new Uint8Array(8), this.#digests[at], sha256));
      else await this.#checkChunk(chunk, this.#digests[at]);
    }
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #checkChunk(chunk: Chunk, wanted: Uint8Array | undefined): Promise<void> {
    // A turn of the event loop: a machine that runs beside has its own.
    await new Promise((resolve) => void setImmediate(resolve));
    const content = this.#read(this.#header.memoryStart + chunk.offset, chunk.size);
    this.#named(() => demandSame(chunk, content, wanted, sha256));
  }

  /** Whether the file has nothing there, which reads as zeros. */
  #isHole({ offset, size }: Chunk): boolean {
    const start = this.#header.memoryStart + offset;
    try {
      return syscall('lseek', this.#fd, start, SEEK_DATA) >= start + size;
    } catch (error) {
      // ENXIO: nothing but holes up to the end; else the file system can't tell.
      return error instanceof SystemCallError && error.errno === 'ENXIO';
    }
  }

  #read(position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const count = this.#io(() => fs.readSync(this.#fd, bytes, done, length - done, position + done));
      if (count === 0) throw new DelosError('bad-snapshot', `${this.#file}: the snapshot has become shorter while it was read`);
      done += count;
    }
    return bytes;
  }

  /** What the kernel refuses, in a sentence. */
  #io<Value>(call: () => Value): Value {
    try {
      return call();
    } catch (error) {
      const errno = errnoOf(error);
      throw errno === undefined ? error : new DelosError('io', `${this.#file}: the snapshot can't be read: ${errno}`, { cause: error });
    }
  }

  /** Puts the file's name before what is wrong with it. */
  #named<Value>(read: () => Value): Value {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof DelosError) || error.code !== 'bad-snapshot' || error.message.startsWith(this.#file)) throw error;
      throw new DelosError('bad-snapshot', `${this.#file}: ${error.message}`, { cause: error });
    }
  }
}
