import fs from 'node:fs';

/** Bytes of the kernel's, random(4). node:crypto has them too, and takes longer to load than all else that names a container. */
export function randomBytes(count: number): Buffer {
  const device = fs.openSync('/dev/urandom', 'r');
  try {
    const bytes = Buffer.alloc(count);
    fs.readSync(device, bytes);
    return bytes;
  } finally {
    fs.closeSync(device);
  }
}

/** An integer from 0 to `below` - 1; `below` is far below 2^32, so that the first ones are not likelier than the last. */
export function randomInt(below: number): number {
  return randomBytes(4).readUInt32LE() % below;
}
