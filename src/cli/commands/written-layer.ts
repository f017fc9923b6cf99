import type { Container } from '../../containers/container.ts';
import { fileOf, type Places } from '../../containers/places.ts';
import { openBelow, openRootView } from '../../containers/root-view.ts';
import { standingOf } from '../../containers/standing.ts';
import { overlayChanges, type Change } from '../../layers/changes.ts';
import { compareTrees, type Difference } from '../../layers/compare.ts';
import { packLayer, type PackOptions } from '../../layers/pack.ts';
import { DelosError } from '../../lib/errors.ts';
import { readConfig } from '../../runtime/prepare.ts';
import { pathOfDescriptor } from '../../layers/xattrs.ts';
import { textOf } from '../../tar/byte-string.ts';
import { ownersInside } from './id-mapping.ts';
import { layerWithoutMountPoints, withoutMountPoints } from './mount-points.ts';

/** What a container has changed of its image. @throws DelosError unsupported where there is nothing to tell it by */
export function writtenChanges(places: Places, container: Container): Change[] {
  const copied = copiedFrom(places, container);
  if (copied !== undefined) return withoutMountPoints(changesOf([...compareTrees(copied.base, copied.upper, copied)]));
  if (isKept(places, container)) return withoutMountPoints([...overlayChanges(upperOf(places, container), lowersOf(container))]);
  using both = openBoth(places, container);
  return withoutMountPoints(changesOf([...compareTrees(both.below, both.now)]));
}

const kinds = { added: 'A', changed: 'C', removed: 'D' } as const;

function changesOf(differences: readonly Difference[]): Change[] {
  return differences.filter(({ path }) => path !== '').map(asChange);
}

function asChange({ kind, path }: Difference): Change {
  return { kind: kinds[kind], path: `/${textOf(path)}` };
}

/** The same as the tar of a layer, not packed. */
export async function* writtenLayer(places: Places, container: Container): AsyncGenerator<Uint8Array> {
  const owner = ownersInside(readConfig(fileOf(places, container.id)));
  const owned = owner === undefined ? {} : { owner };
  const copied = copiedFrom(places, container);
  if (copied !== undefined) return yield* layerWithoutMountPoints(packLayer(copied.upper, copied));
  if (isKept(places, container)) return yield* layerWithoutMountPoints(packLayer(upperOf(places, container), { overlay: true, ...owned }));
  if (owner !== undefined) {
    throw new DelosError('unsupported', `container ${container.name} has a user namespace and writes to memory only: its owners cannot be told`);
  }
  using both = openBoth(places, container);
  return yield* layerWithoutMountPoints(packLayer(both.now, { base: both.below }));
}

/** Of a container whose root is a copy: the copy, what it was made of, and whom their files belong to. */
export function copiedFrom(places: Places, { id, root }: Container): Copied | undefined {
  if (root.kind !== 'copy') return undefined;
  const owner = ownersInside(readConfig(fileOf(places, id)));
  // What an ordinary user has unpacked has the ids of his containers.
  return {
    upper: fileOf(places, id, 'rootfs'), base: root.lowers[0] ?? fileOf(places, id, 'empty'),
    ...(owner !== undefined && { owner, ...(process.geteuid?.() !== 0 && { baseOwner: owner }) }),
  };
}

interface Copied extends Pick<PackOptions, 'owner' | 'baseOwner'> {
  /** The copy. */
  readonly upper: string;
  readonly base: string;
}

/** Whether what it writes is in a folder; else it is in memory, and can be told only by comparing all of it with its image. */
function isKept(places: Places, container: Container): boolean {
  const { root, name } = container;
  if (root.kind !== 'overlay') throw new DelosError('unsupported', `container ${name} writes into its bundle itself: there is nothing to tell its changes by`);
  const { status } = standingOf(places, container);
  if (root.kept || status === 'running' || status === 'paused') return root.kept;
  throw new DelosError('wrong-state', `container ${name} does not run, and what it wrote was in memory only, as it was made with --rm or of the host`);
}

function upperOf(places: Places, { id }: Container): string {
  return fileOf(places, id, 'layer/upper');
}

function lowersOf({ root }: Container): readonly string[] {
  return root.kind === 'overlay' ? root.lowers : [];
}

function openBoth(places: Places, container: Container): Disposable & { readonly below: string; readonly now: string } {
  const now = openRootView(places, container, { mounts: false });
  try {
    const below = openBelow(container);
    return { below: pathOfDescriptor(below.fd), now: pathOfDescriptor(now.fd), [Symbol.dispose]: () => [below, now].forEach((view) => view[Symbol.dispose]()) };
  } catch (error) {
    now[Symbol.dispose]();
    throw error;
  }
}
