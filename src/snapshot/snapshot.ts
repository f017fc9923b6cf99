/** Snapshots as bytes: of a machine that is at rest, and a machine from them. Works in a browser: files are file.ts'. */

import { COM } from '../device/places.ts';
import { cpuidOfTable } from '../machine/cpuid-table.ts';
import { Machine, type MachineOptions } from '../machine/machine.ts';
import type { MachineState } from '../machine/state.ts';
import type { GuestMemory } from '../engine/memory.ts';
import { DelosError } from '../lib/errors.ts';
import { sha256Bytes } from '../lib/sha256.ts';
import { chunksOf, digestOf, sameBytes, type Chunk, type Digest } from './chunks.ts';
import { decodeHead, decodeHeader, encodeHead, HEADER_SIZE } from './format.ts';

/** A snapshot that has been read: of what a machine can be made. */
export interface ReadSnapshot {
  readonly state: MachineState;
  /** Puts the memory's content in its place. @throws DelosError `bad-snapshot` when it is not as it was written, where that is looked at */
  fill(memory: GuestMemory): void;
}

export type RestoreOptions = Pick<MachineOptions, 'engine' | 'serial' | 'debugConsole'>;

/**
 * The machine goes on where it was, as soon as it is run; its clock too. What it sends goes to `serial`, as far as that is given.
 * @throws DelosError `bad-snapshot` for what no machine can be
 */
export function restore(read: ReadSnapshot, { engine, serial = [], debugConsole }: RestoreOptions): Machine {
  const { state } = read;
  const [ram] = state.regions;
  if (ram === undefined) throw new DelosError('bad-snapshot', 'the snapshot is of a machine without memory');
  const ports = state.input.length;
  if (ports > COM.length) throw new DelosError('bad-snapshot', `the snapshot is of a machine with ${ports} serial ports, and a PC has ${COM.length}`);
  return new Machine({
    start: { kind: 'saved', state, fill: (memory) => read.fill(memory) }, memory: ram.size, cpuid: cpuidOfTable(state.cpuid), engine,
    serial: state.input.map((_, at) => serial[at] ?? (() => undefined)), ...(debugConsole && { debugConsole }),
  });
}

/**
 * A machine as bytes, one part after the other, copies all of them. It must not run until the last has been given: {@link Machine.pause}.
 * @throws DelosError when its processor does not come to rest
 */
export function* snapshot(machine: Machine, digest: Digest = sha256Bytes): Generator<Uint8Array> {
  const state = machine.save();
  const chunks = [...chunksOf(state.regions)].map((chunk) => machine.memory.bytes(chunk.guestAddress, chunk.size));
  yield encodeHead({ state, digests: chunks.map((bytes) => digestOf(bytes, digest)) }, digest);
  for (const bytes of chunks) yield bytes.slice();
}

/** Reads a whole snapshot. All of it is checked: its state at once, each chunk of memory before it is put in its place. @throws DelosError `bad-snapshot` */
export function readSnapshot(given: Uint8Array, digest: Digest = sha256Bytes): ReadSnapshot {
  // A Buffer's `slice` is no copy.
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.length);
  const header = decodeHeader(bytes.subarray(0, HEADER_SIZE), bytes.length);
  const { state, digests } = decodeHead(bytes.subarray(0, header.memoryStart), header, digest);
  return {
    state,
    fill(memory) {
      for (const [at, chunk] of [...chunksOf(state.regions)].entries()) {
        // A copy: the chunk is looked at in words, and the bytes that were given may be anywhere.
        const content = bytes.slice(header.memoryStart + chunk.offset, header.memoryStart + chunk.offset + chunk.size);
        demandSame(chunk, content, digests[at], digest);
        memory.bytes(chunk.guestAddress, chunk.size).set(content);
      }
    },
  };
}

/** @throws DelosError `bad-snapshot` when a chunk is not what its digest says */
export function demandSame({ guestAddress }: Chunk, content: Uint8Array, wanted: Uint8Array | undefined, digest: Digest): void {
  if (wanted !== undefined && sameBytes(digestOf(content, digest), wanted)) return;
  throw new DelosError('bad-snapshot', `the snapshot has been altered: its memory at 0x${guestAddress.toString(16)} is not what its checksum says`);
}
