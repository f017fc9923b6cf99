import type { Config, IdMapping } from '../../oci/config/types.ts';

/** The id inside of a user namespace for one outside; root's for one that is not mapped. The same without mappings. */
export function idInside(ranges: readonly IdMapping[], id: number): number {
  if (ranges.length === 0) return id;
  const range = ranges.find(({ hostID, size }) => id >= hostID && id < hostID + size);
  return range === undefined ? 0 : id - range.hostID + range.containerID;
}

/** The id outside for one inside; that of its root for one that is not mapped. */
export function idOutside(ranges: readonly IdMapping[], id: number): number {
  if (ranges.length === 0) return id;
  const [range, root] = [id, 0].map((wanted) => ranges.find(({ containerID, size }) => wanted >= containerID && wanted < containerID + size));
  return range === undefined ? root?.hostID ?? id : id - range.containerID + range.hostID;
}

/** The owners that are meant by those on disk. Nothing without a user namespace. */
export function ownersInside({ linux }: Config): ((uid: number, gid: number) => readonly [number, number]) | undefined {
  const { uidMappings = [], gidMappings = [] } = linux ?? {};
  if (uidMappings.length === 0 && gidMappings.length === 0) return undefined;
  return (uid, gid) => [idInside(uidMappings, uid), idInside(gidMappings, gid)];
}
