import fs from 'node:fs';
import type { Piece } from '../../src/boot/boot.ts';

/** A file that is a hard disk of 16 heads and 63 sectors. */
export interface Disk {
  readonly file: string;
  readonly cylinders: number;
}

const cylinderBytes = 16 * 63 * 512;
/** What disk.S reads at once. */
const chunkBytes = 64 * 512;
/** Offsets in it: the runs, 8 bytes each, where to begin, ESI. */
const runsAt = 468;
const beginAt = 500;
const parameterAt = 504;
const mostRuns = 3;

/** @param sector disk.S, compiled */
export function writeDisk(file: string, sector: Buffer, pieces: readonly Piece[], begin: number, parameter: number): Disk {
  if (pieces.length > mostRuns) throw new RangeError(`a disk brings ${mostRuns} pieces, not ${pieces.length}`);
  const first = Buffer.from(sector);
  const data = pieces.map(({ address, bytes }, index) => {
    const chunks = Math.ceil(bytes.length / chunkBytes);
    first.writeUInt32LE(address, runsAt + 8 * index);
    first.writeUInt16LE(chunks, runsAt + 8 * index + 4);
    return Buffer.concat([bytes], chunks * chunkBytes);
  });
  first.writeUInt32LE(begin, beginAt);
  first.writeUInt32LE(parameter, parameterAt);
  const whole = Buffer.concat([first, ...data]);
  const cylinders = Math.ceil(whole.length / cylinderBytes);
  fs.writeFileSync(file, whole);
  fs.truncateSync(file, cylinders * cylinderBytes);
  return { file, cylinders };
}
