import fs from 'node:fs';
import { syscall } from '../sys/syscall.ts';
import { quoted, type ByteString } from '../tar/byte-string.ts';
import type { TarEntry, Time } from '../tar/entry.ts';
import { cString, setOwnerAt, setTimes, setTimesAt } from './calls.ts';
import { pathOfDescriptor, refusedXattr, setXattr, setXattrAt } from './xattrs.ts';

/** What a file has besides its contents. */
export type Metadata = Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'mtime' | 'xattrs'>;

/** Told of an attribute that is left out. */
export type Skip = (reason: string) => void;

/** Owner, then mode, which a change of owner strips of its setuid bits, then attributes, of which it takes capabilities, then times. */
export function setMetadata(fd: number, metadata: Metadata, withOwner: boolean, skip: Skip): void {
  if (withOwner) syscall('fchown', fd, metadata.uid, metadata.gid);
  syscall('fchmod', fd, metadata.mode);
  setXattrs(metadata.xattrs, (name, value) => setXattr(fd, name, value), skip);
  setTimes(fd, metadata.mtime);
}

/** The same for a name that cannot be opened: a link, a device, a fifo. Links have no mode. */
export function setMetadataAt(parent: number, base: ByteString, metadata: Metadata, isLink: boolean, withOwner: boolean, skip: Skip): void {
  if (withOwner) setOwnerAt(parent, base, metadata.uid, metadata.gid);
  if (!isLink) syscall('fchmodat', parent, cString(base), metadata.mode);
  setXattrs(metadata.xattrs, (name, value) => setXattrAt(parent, base, name, value), skip);
  setTimesAt(parent, base, metadata.mtime);
}

function setXattrs(xattrs: Metadata['xattrs'], set: (name: ByteString, value: Uint8Array) => string | undefined, skip: Skip): void {
  for (const [name, value] of xattrs) {
    const refused = refusedXattr(name) ?? set(name, value);
    if (refused !== undefined) skip(`xattr ${quoted(name)}: ${refused}`);
  }
}

/** A time of fs.Stats in nanoseconds, taken apart. */
export function timeOf(ns: bigint): Time {
  const nanoseconds = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { seconds: Number((ns - nanoseconds) / 1_000_000_000n), nanoseconds: Number(nanoseconds) };
}

/** Of what a descriptor is open on, O_PATH too. */
export function statOf(fd: number): fs.BigIntStats {
  return fs.fstatSync(fd, { bigint: true });
}

const isRoot = process.geteuid?.() === 0;

/**
 * Lets its owner read, write and enter a folder, if it is not root, who may anyway.
 * @param fd O_PATH will do
 * @returns the mode it had, if that was changed
 */
export function openUp(fd: number): number | undefined {
  const mode = isRoot ? 0o700 : Number(statOf(fd).mode) & 0o7777;
  if ((mode & 0o700) === 0o700) return undefined;
  fs.chmodSync(pathOfDescriptor(fd), mode | 0o700);
  return mode;
}
