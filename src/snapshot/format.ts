/**
 * A snapshot: a header, a machine's state, and its memory from the next page on, as it is, so that a file can be mapped in the memory's place.
 *
 *   0           {@link header}
 *   HEADER      the state (state-codec.ts), `stateSize` bytes
 *   memoryStart the regions of memory, one after the other; what is all zeros may be a hole of the file
 *
 * The header's digest is of the header before it and of the state, which has a digest of each chunk of memory: it stands for the whole.
 */

import { DelosError } from '../lib/errors.ts';
import { align, get, put, struct } from '../lib/layout.ts';
import { type Digest, DIGEST_SIZE, sameBytes } from './chunks.ts';
import { decodeState, encodeState, type SnapshotState } from './state-codec.ts';

/** Of this format and of everything in it: a device's state that is laid out differently is another version. */
export const SNAPSHOT_VERSION = 1;

/** In a file: 89h, as no text begins, and "DelosVM". */
const MAGIC = 0x4d_56_73_6f_6c_65_44_89n;

const header = struct('snapshot_header', { magic: 'u64', version: 'u32', reserved: 'u32', stateSize: 'u64', fileSize: 'u64', digest: ['u8', DIGEST_SIZE] });

export const HEADER_SIZE = header.size;
/** A machine's state has some 10 kB, and 32 bytes for each MiB of memory. */
const mostState = 2 ** 26;
const PAGE_SIZE = 4096;

export interface SnapshotHeader {
  readonly stateSize: number;
  readonly memoryStart: number;
  readonly fileSize: number;
}

const memoryStart = (stateSize: number): number => align(HEADER_SIZE + stateSize, PAGE_SIZE);
const memorySize = ({ regions }: SnapshotState['state']): number => regions.reduce((sum, { size }) => sum + size, 0);

/** All that stands before the memory, up to its first byte. */
export function encodeHead(snapshot: SnapshotState, digest: Digest): Uint8Array {
  const state = encodeState(snapshot);
  const start = memoryStart(state.length);
  const bytes = new Uint8Array(start);
  const view = new DataView(bytes.buffer);
  const { magic, version, stateSize, fileSize } = header.fields;
  put(view, magic.offset, 'u64', MAGIC);
  put(view, version.offset, 'u32', SNAPSHOT_VERSION);
  put(view, stateSize.offset, 'u64', state.length);
  put(view, fileSize.offset, 'u64', start + memorySize(snapshot.state));
  bytes.set(state, HEADER_SIZE);
  seal(bytes, state.length, digest);
  return bytes;
}

/** Writes the digest into the header of a head. */
export function seal(head: Uint8Array, stateSize: number, digest: Digest): void {
  head.set(headDigest(head, stateSize, digest), header.fields.digest.offset);
}

function headDigest(head: Uint8Array, stateSize: number, digest: Digest): Uint8Array {
  const { offset } = header.fields.digest;
  const covered = new Uint8Array(offset + stateSize);
  covered.set(head.subarray(0, offset));
  covered.set(head.subarray(HEADER_SIZE, HEADER_SIZE + stateSize), offset);
  return digest(covered);
}

/**
 * What a file says of itself.
 * @param bytes its first {@link HEADER_SIZE}, or fewer when there are no more
 * @param size of the whole file
 * @throws DelosError `bad-snapshot` when it is none, of another version, or not all there
 */
export function decodeHeader(bytes: Uint8Array, size: number): SnapshotHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { magic, version, stateSize, fileSize } = header.fields;
  if (bytes.length < 8 || view.getBigUint64(magic.offset, true) !== MAGIC) throw bad('this is no snapshot of a machine');
  if (bytes.length < HEADER_SIZE) throw bad(`the snapshot is cut off: it has ${bytes.length} bytes, not even its header`);
  const found = view.getUint32(version.offset, true);
  if (found !== SNAPSHOT_VERSION) throw bad(`the snapshot is of version ${found}; this Delos reads version ${SNAPSHOT_VERSION} alone`);
  const stated = Number(get(view, fileSize.offset, 'u64'));
  if (stated !== size) throw bad(`the snapshot has ${size} bytes and not the ${stated} that its header says: it is cut off, or something follows it`);
  const length = Number(get(view, stateSize.offset, 'u64'));
  if (length > mostState || memoryStart(length) > size) throw bad(`the snapshot's header says that its state has ${length} bytes, which it can't have`);
  return { stateSize: length, memoryStart: memoryStart(length), fileSize: stated };
}

/**
 * The state behind a header.
 * @param head the file up to where its memory starts
 * @throws DelosError `bad-snapshot` when it is not as it was written
 */
export function decodeHead(head: Uint8Array, { stateSize, memoryStart: start, fileSize }: SnapshotHeader, digest: Digest): SnapshotState {
  const { offset } = header.fields.digest;
  const written = head.subarray(offset, offset + DIGEST_SIZE);
  if (!sameBytes(written, headDigest(head, stateSize, digest))) throw bad('the snapshot has been altered: its state is not what its checksum says');
  if (head.subarray(HEADER_SIZE + stateSize, start).some((byte) => byte !== 0)) throw bad('the snapshot has been altered: something stands behind its state');
  const snapshot = decodeState(head.subarray(HEADER_SIZE, HEADER_SIZE + stateSize));
  const size = memorySize(snapshot.state);
  if (start + size !== fileSize) throw bad(`the snapshot is of ${size} bytes of memory, and has ${fileSize - start}`);
  return snapshot;
}

function bad(message: string): DelosError {
  return new DelosError('bad-snapshot', message);
}
