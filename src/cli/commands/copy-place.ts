import path from 'node:path';
import { byteString, type ByteString } from '../../tar/byte-string.ts';
import { DelosError } from '../../lib/errors.ts';

/** One of the two places of `cp`, as it was written. */
export type CopyWord =
  | { readonly kind: 'stream' }
  | { readonly kind: 'host'; readonly path: string }
  | { readonly kind: 'container'; readonly container: string; readonly path: string };

/** `-`, `PATH` or `CONTAINER:PATH`. A path with a colon in it is written with a slash or a dot in front. */
export function parseCopyWord(text: string): CopyWord {
  if (text === '-') return { kind: 'stream' };
  const colon = text.indexOf(':');
  if (colon < 0 || /^[./]/.test(text)) return { kind: 'host', path: text };
  if (colon === 0) throw new DelosError('bad-usage', `'${text}': expected CONTAINER:PATH, found no container before the colon`);
  return { kind: 'container', container: text.slice(0, colon), path: text.slice(colon + 1) };
}

/** A path from a root, taken apart as cp does: how it ends says what is meant. */
export interface CopyPath {
  /** Below the root, without what stands at the end; empty for the root itself. */
  readonly path: ByteString;
  /** The last name; empty where there is none, as for `/`, `.` and `..`. */
  readonly base: ByteString;
  /** It ends with a slash or `.`, so that it has to be a folder. */
  readonly isFolder: boolean;
  /** It ends with `/.`: what is in the folder, not the folder. */
  readonly isContents: boolean;
}

/** @param from what a relative path counts from */
export function copyPath(text: string, from: string): CopyPath {
  const [isContents, isFolder] = [/(^|\/)\.\.?$/.test(text), /(^|\/)\.{0,2}$/.test(text)];
  // Not resolved by names alone, as `link/..` is where the link leads; only what is at the end goes.
  const whole = text.startsWith('/') ? text : path.posix.join(from, '/') + text;
  const trimmed = whole.replace(/(\/+\.?)+$/, '').replace(/^\/+/, '');
  const last = trimmed.slice(trimmed.lastIndexOf('/') + 1);
  return { path: byteString(trimmed), base: last === '..' ? '' : byteString(last), isFolder, isContents: isContents || last === '..' || trimmed === '' };
}
