/** Archives made by hand, right or wrong, for tests: field by field, with none of the writer's help. */
import { BLOCK, type TarEntry } from '../entry.ts';
import { TarReader } from '../reader.ts';

/** Fields of a header as the bytes that they are; numbers as octal digits. */
export interface Fields {
  name?: string;
  mode?: string;
  uid?: string;
  gid?: string;
  size?: string | Buffer;
  mtime?: string | Buffer;
  flag?: string;
  link?: string;
  /** With the version: `ustar\0` + `00`, GNU's `ustar  \0`; '' for v7. */
  magic?: string;
  major?: string;
  minor?: string;
  prefix?: string;
  /** Anything, anywhere. */
  raw?: readonly (readonly [at: number, bytes: string | Buffer])[];
}

/** A header block with a right checksum. */
export function header(fields: Fields): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = (at: number, bytes: string | Buffer | undefined): void => {
    if (bytes !== undefined) Buffer.from(bytes as string, 'latin1').copy(block, at);
  };
  put(0, fields.name);
  put(100, fields.mode ?? '0000644\0');
  put(108, fields.uid ?? '0000000\0');
  put(116, fields.gid ?? '0000000\0');
  put(124, fields.size ?? '00000000000\0');
  put(136, fields.mtime ?? '00000000000\0');
  put(156, fields.flag ?? '0');
  put(157, fields.link);
  put(257, fields.magic ?? 'ustar\x0000');
  put(329, fields.major ?? '');
  put(337, fields.minor ?? '');
  put(345, fields.prefix);
  for (const [at, bytes] of fields.raw ?? []) put(at, bytes);
  block.fill(' ', 148, 156);
  put(148, `${block.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `);
  return block;
}

/** Bytes with the zeros behind them that fill a block. */
export function padded(bytes: string | Buffer): Buffer {
  const data = Buffer.from(bytes as string, 'latin1');
  return Buffer.concat([data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)]);
}

export function octal(value: number): string {
  return `${value.toString(8).padStart(11, '0')}\0`;
}

/** A header with data behind it, its size told rightly. */
export function member(fields: Fields, data: string | Buffer = ''): Buffer {
  return Buffer.concat([header({ size: octal(Buffer.from(data as string, 'latin1').length), ...fields }), padded(data)]);
}

/** An extended header for the next entry; or, with the flag `g`, for all. */
export function pax(records: readonly (readonly [key: string, value: string])[], flag = 'x'): Buffer {
  const body = records.map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length;
    while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length;
    return `${length}${rest}`;
  }).join('');
  return member({ name: 'PaxHeaders/x', flag }, body);
}

export const END = Buffer.alloc(2 * BLOCK);

/** An entry that was read, and its data with zeros for holes. */
export type Read = TarEntry & { bytes: string };

/** All entries of an archive, which is pushed in pieces of this length. */
export function readAll(archive: Buffer, step = archive.length): Read[] {
  const found: Read[] = [];
  let data = Buffer.alloc(0);
  const reader = new TarReader({
    entry(entry) {
      data = Buffer.alloc(entry.size);
      found.push({ ...entry, bytes: '' });
    },
    data: (bytes, offset) => void bytes.copy(data, offset),
    end: () => void Object.assign(found.at(-1) ?? {}, { bytes: data.toString('latin1') }),
  });
  for (let at = 0; at < archive.length; at += step) reader.push(archive.subarray(at, at + step));
  reader.finish();
  return found;
}
