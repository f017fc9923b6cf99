import { DelosError } from '../lib/errors.ts';
import { quoted, type ByteString } from '../tar/byte-string.ts';

/** A name in a layer: the folder that holds it, as `a/b`, empty for the root; and its last component, empty for the root itself. */
export interface Place {
  readonly folder: ByteString;
  readonly base: ByteString;
}

export const ROOT: Place = { folder: '', base: '' };

/** The path of a place, relative to the root of the layer; empty for the root. */
export function pathOf({ folder, base }: Place): ByteString {
  return folder === '' ? base : `${folder}/${base}`;
}

const plain = /^(?!\/)(?:[^/\0.][^/\0]*\/)*[^/\0.][^/\0]*$/;

/**
 * Where a name of an archive belongs. It counts from the root whether it begins with a slash or not; `.` and doubled slashes mean
 * nothing; `..` takes a component back, by the name alone.
 * @throws DelosError bad-archive for a `..` that leads out, and for a NUL
 */
export function placeOf(name: ByteString): Place {
  if (plain.test(name)) {
    const slash = name.lastIndexOf('/');
    return { folder: slash < 0 ? '' : name.slice(0, slash), base: name.slice(slash + 1) };
  }
  const components: ByteString[] = [];
  if (name.includes('\0')) throw new DelosError('bad-archive', `the layer has the name ${quoted(name)}, which holds a NUL`);
  for (const component of name.split('/')) {
    if (component === '' || component === '.') continue;
    if (component !== '..') components.push(component);
    else if (components.pop() === undefined) throw new DelosError('bad-archive', `the layer has the name ${quoted(name)}, which leads out of its root`);
  }
  const base = components.pop();
  return base === undefined ? ROOT : { folder: components.join('/'), base };
}

/**
 * What an entry's last component asks for besides being a file (OCI image specification, layer.md, "Whiteouts"): that a name of the
 * layers below be hidden, or all that they have in the folder. `other` are names of AUFS's own, which mean nothing here.
 */
export type Whiteout = { readonly kind: 'opaque' } | { readonly kind: 'hide'; readonly base: ByteString } | { readonly kind: 'other' };

const PREFIX = '.wh.';
export const OPAQUE = '.wh..wh..opq';

/** @throws DelosError bad-archive for one that hides no name at all, its folder or the folder above */
export function whiteoutOf(base: ByteString): Whiteout | undefined {
  if (!base.startsWith(PREFIX)) return undefined;
  if (base === OPAQUE) return { kind: 'opaque' };
  if (base.startsWith('.wh..wh.')) return { kind: 'other' };
  const hidden = base.slice(PREFIX.length);
  if (hidden === '' || hidden === '.' || hidden === '..') throw new DelosError('bad-archive', `the layer has the whiteout ${quoted(base)}, which hides no name`);
  return { kind: 'hide', base: hidden };
}

/** The entry that hides a name. */
export function whiteoutFor(base: ByteString): ByteString {
  return PREFIX + base;
}
