import fs from 'node:fs';

/** Of what is read at a time. */
const CHUNK = 128 * 1024;

/** As many bytes of a file as its header in an archive has told; one that shrinks meanwhile is filled up with zeros. Closes it at the end. */
export function* fileChunks(fd: number, size: number): Generator<Uint8Array> {
  try {
    for (let at = 0; at < size;) {
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, size - at));
      const read = fs.readSync(fd, buffer, 0, buffer.length, at);
      if (read === 0) buffer.fill(0);
      at += read === 0 ? buffer.length : read;
      yield read === 0 ? buffer : buffer.subarray(0, read);
    }
  } finally {
    fs.closeSync(fd);
  }
}
