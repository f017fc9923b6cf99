import type { ByteString } from './byte-string.ts';
import { BLOCK, type EntryType, type TarEntry } from './entry.ts';
import { checksums } from './header.ts';
import { writeNumber, writeTime } from './number.ts';

const flags: Record<EntryType, string> = { file: '0', link: '1', symlink: '2', character: '3', block: '4', directory: '5', fifo: '6' };

/** Two blocks of zeros: the end of an archive. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}

/** The zeros that follow a file's data of this length. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/**
 * The header blocks of an entry: ustar where all fits, with an extended header (pax) in front for what does not. The same entry gives
 * the same bytes, always. A file's data and {@link tarPadding} follow. Holes are not kept: `pieces` is not looked at.
 */
export function tarHeader(entry: TarEntry): Buffer {
  const records = new Map<ByteString, Uint8Array | ByteString>();
  const block = Buffer.alloc(BLOCK);
  writeFields(block, entry, records);
  for (const [name, value] of entry.xattrs) records.set(`SCHILY.xattr.${name}`, value);
  return records.size === 0 ? block : Buffer.concat([extendedHeader(entry.name, records), block]);
}

function writeFields(block: Buffer, entry: TarEntry, records: Map<ByteString, Uint8Array | ByteString>): void {
  const name = entry.type === 'directory' && !entry.name.endsWith('/') ? `${entry.name}/` : entry.name;
  if (!writeName(block, name)) {
    records.set('path', name);
    block.write(name.slice(0, 100), 0, 'latin1');
  }
  const text = (key: string, start: number, length: number, value: ByteString): void => {
    if (value.length > length) records.set(key, value);
    block.write(value.slice(0, length), start, 'latin1');
  };
  const number = (key: string, start: number, length: number, value: number): void => {
    if (!writeNumber(block, start, length, value)) {
      records.set(key, String(value));
      writeNumber(block, start, length, 0);
    }
  };
  writeNumber(block, 100, 8, entry.mode & 0o7777);
  number('uid', 108, 8, entry.uid);
  number('gid', 116, 8, entry.gid);
  number('size', 124, 12, entry.type === 'file' ? entry.size : 0);
  if (entry.mtime.nanoseconds !== 0 || !writeNumber(block, 136, 12, entry.mtime.seconds)) {
    records.set('mtime', writeTime(entry.mtime));
    if (!writeNumber(block, 136, 12, entry.mtime.seconds)) writeNumber(block, 136, 12, 0);
  }
  block.write(flags[entry.type], 156, 'latin1');
  text('linkpath', 157, 100, entry.linkName);
  block.write('ustar\x0000', 257, 'latin1');
  text('uname', 265, 32, entry.uname);
  text('gname', 297, 32, entry.gname);
  writeNumber(block, 329, 8, entry.major);
  writeNumber(block, 337, 8, entry.minor);
  block.write(`${checksums(block)[0].toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

/** Puts a name into the fields name and prefix; false when it is longer than they allow, or has no slash at a fit place. */
function writeName(block: Buffer, name: ByteString): boolean {
  if (name.length <= 100) {
    block.write(name, 0, 'latin1');
    return true;
  }
  const slash = name.lastIndexOf('/', 155);
  const rest = name.slice(slash + 1);
  if (slash <= 0 || rest === '' || rest.length > 100) return false;
  block.write(rest, 0, 'latin1');
  block.write(name.slice(0, slash), 345, 'latin1');
  return true;
}

function extendedHeader(name: ByteString, records: ReadonlyMap<ByteString, Uint8Array | ByteString>): Buffer {
  const keys = [...records.keys()].sort();
  const body = Buffer.concat(keys.map((key) => record(key, records.get(key) ?? '')));
  const block = Buffer.alloc(BLOCK);
  const base = name.replace(/\/+$/, '').split('/').pop() ?? '';
  block.write(`PaxHeaders.0/${base}`.slice(0, 100), 0, 'latin1');
  writeNumber(block, 100, 8, 0o644);
  for (const at of [108, 116, 329, 337]) writeNumber(block, at, 8, 0);
  writeNumber(block, 124, 12, body.length);
  writeNumber(block, 136, 12, 0);
  block.write('x', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(`${checksums(block)[0].toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([block, body, tarPadding(body.length)]);
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts itself. */
function record(key: ByteString, value: Uint8Array | ByteString): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  const rest = 1 + key.length + 1 + bytes.length + 1;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`, 'latin1'), bytes, Buffer.from('\n')]);
}
