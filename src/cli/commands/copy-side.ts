import fs from 'node:fs';
import type { OwnerOf } from '../../containers/copy-target.ts';
import { fileOf, type Places } from '../../containers/places.ts';
import { openRootView } from '../../containers/root-view.ts';
import { readConfig } from '../../runtime/prepare.ts';
import { find } from './context.ts';
import { copyPath, type CopyPath, type CopyWord } from './copy-place.ts';
import { idInside, idOutside } from './id-mapping.ts';

/** One side of a copy, open. */
export interface CopySide extends Disposable {
  /** The folder that paths of this side count from. */
  readonly root: number;
  readonly place: CopyPath;
  /** As it was written, for messages. */
  readonly text: string;
  /** Whom a file that is written here belongs to. */
  readonly owner: OwnerOf;
  /** The same when owners are kept: the ids on disk for those that are meant. */
  readonly told: OwnerOf;
  /** The ids that are meant by those on disk. */
  readonly meant: OwnerOf;
}

const isRoot = (): boolean => process.geteuid?.() === 0;

/** @throws DelosError not-found, bad-id; what openRootView() throws */
export function openSide(places: Places, word: Exclude<CopyWord, { kind: 'stream' }>, text: string): CopySide {
  return word.kind === 'host' ? hostSide(word.path, text) : containerSide(places, word.container, word.path, text);
}

function hostSide(path: string, text: string): CopySide {
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  const root = fs.openSync('/', 'r');
  return {
    root, text, place: copyPath(path, process.cwd()), meant: undefined, owner: isRoot() ? () => [uid, gid] : undefined,
    told: isRoot() ? (...ids) => ids : undefined, [Symbol.dispose]: () => fs.closeSync(root),
  };
}

function containerSide(places: Places, name: string, path: string, text: string): CopySide {
  const container = find(places, name);
  const { uidMappings: uids = [], gidMappings: gids = [] } = readConfig(fileOf(places, container.id)).linux ?? {};
  const view = openRootView(places, container, { mounts: true });
  const outside = (uid: number, gid: number): readonly [number, number] => [idOutside(uids, uid), idOutside(gids, gid)];
  return {
    root: view.fd, text, place: copyPath(path, '/'), meant: (uid, gid) => [idInside(uids, uid), idInside(gids, gid)],
    owner: isRoot() ? () => outside(0, 0) : undefined, told: isRoot() ? outside : undefined, [Symbol.dispose]: () => view[Symbol.dispose](),
  };
}
