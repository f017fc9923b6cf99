import { textOf } from '../tar/byte-string.ts';
import { LayersBelow } from './layers-below.ts';
import { overlayMark } from './overlay-marks.ts';
import { Tree, walk } from './walk.ts';

/** A change that a container made to its image: `A` added, `C` changed, `D` deleted; the path is absolute, as text. */
export interface Change {
  readonly kind: 'A' | 'C' | 'D';
  readonly path: string;
}

/**
 * What the upper folder of an overlay mount says was changed, in the order of bytes. A folder in which something was changed is changed
 * too.
 * @param lowers the layers below, topmost first
 */
export function* overlayChanges(upper: string, lowers: readonly string[]): Generator<Change> {
  const tree = new Tree(upper);
  const below = new LayersBelow(lowers);
  try {
    for (const node of walk(tree)) {
      if (node.path === '') continue;
      const path = `/${textOf(node.path)}`;
      if (overlayMark(node, node.xattrs()) === 'whiteout') yield { kind: 'D', path };
      else yield { kind: below.has(node.path) ? 'C' : 'A', path };
    }
  } finally {
    below.close();
    tree.close();
  }
}
