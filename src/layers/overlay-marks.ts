import { DelosError } from '../lib/errors.ts';
import { quoted, type ByteString } from '../tar/byte-string.ts';
import type { TreeNode } from './walk.ts';

/**
 * What overlayfs notes in an upper folder (Documentation/filesystems/overlayfs.rst): a whiteout is a character device 0:0, or an empty
 * file with the attribute `whiteout` where a folder allows for such; an opaque folder has the attribute `opaque`.
 */
export type OverlayMark = 'whiteout' | 'opaque';

/** Only where overlayfs was told to, these stand for what is in another layer; a layer cannot say that. */
const ELSEWHERE: readonly string[] = ['metacopy', 'redirect'];

function noteOf(xattrs: ReadonlyMap<ByteString, Uint8Array>, name: string): Uint8Array | undefined {
  return xattrs.get(`trusted.overlay.${name}`) ?? xattrs.get(`user.overlay.${name}`);
}

/** Whether a folder with these attributes shows nothing of the layers below; `x` would only say that it holds whiteouts that are files. */
export function isOpaque(xattrs: ReadonlyMap<ByteString, Uint8Array>): boolean {
  return Buffer.from(noteOf(xattrs, 'opaque') ?? []).toString('latin1') === 'y';
}

/** What a file of an upper folder stands for, if not for itself. @throws DelosError unsupported for what cannot be put into a layer */
export function overlayMark(node: TreeNode, xattrs: ReadonlyMap<ByteString, Uint8Array>): OverlayMark | undefined {
  if (node.kind === 'character' && node.stat.rdev === 0n) return 'whiteout';
  if (node.kind === 'file' && node.stat.size === 0n && noteOf(xattrs, 'whiteout') !== undefined) return 'whiteout';
  for (const name of ELSEWHERE) {
    if (noteOf(xattrs, name) !== undefined) throw new DelosError('unsupported', `${quoted(node.path)} has overlayfs's mark ${name}, which a layer cannot keep`);
  }
  return node.kind === 'directory' && isOpaque(xattrs) ? 'opaque' : undefined;
}
