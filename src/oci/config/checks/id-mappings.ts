import { mismatch, refused } from '../refuse.ts';
import type { Path } from '../shape.ts';
import type { IdMapping, Mount } from '../types.ts';
import { lacksNamespace, namespaceOf, type Check } from './check.ts';

/** UID_GID_MAP_MAX_EXTENTS of <linux/user_namespace.h>: what uid_map takes. */
const MOST_RANGES = 340;
/** (uid_t) -1 is no id, so no range may reach it. */
const ID_END = 2 ** 32 - 1;

/** The user namespace's ranges. user_namespaces(7) */
export const checkUserNamespace: Check = (config) => {
  const user = namespaceOf(config, 'user');
  for (const property of ['uidMappings', 'gidMappings'] as const) {
    const mappings = config.linux?.[property] ?? [];
    const place = ['linux', property];
    if (user === undefined && mappings.length > 0) throw lacksNamespace(place, 'user');
    if (user !== undefined && user.path === undefined && mappings.length === 0) {
      throw mismatch(place, 'at least one range for the new user namespace', config.linux?.[property]);
    }
    checkRanges(mappings, place);
  }
};

/** Mounts with ranges of their own, mount_setattr(2) MOUNT_ATTR_IDMAP. */
export const checkMountMappings: Check = (config) => {
  for (const [i, mount] of (config.mounts ?? []).entries()) {
    const { uidMappings = [], gidMappings = [] } = mount;
    const byOption = mount.options?.some((option) => option === 'idmap' || option === 'ridmap') ?? false;
    if (!byOption && uidMappings.length === 0 && gidMappings.length === 0) continue;
    const place = ['mounts', i];
    checkRanges(uidMappings, [...place, 'uidMappings']);
    checkRanges(gidMappings, [...place, 'gidMappings']);
    if (uidMappings.length === 0 && gidMappings.length > 0) throw mismatch([...place, 'uidMappings'], 'ranges beside gidMappings', undefined);
    if (gidMappings.length === 0 && uidMappings.length > 0) throw mismatch([...place, 'gidMappings'], 'ranges beside uidMappings', undefined);
    if (!isBind(mount)) throw refused(place, 'only a bind mount can map ids');
    if (uidMappings.length > 0) continue;
    if (namespaceOf(config, 'user') === undefined) throw lacksNamespace([...place, 'options'], 'user', 'idmap without uidMappings needs');
    if (config.linux?.uidMappings === undefined) throw refused([...place, 'options'], 'idmap needs uidMappings, here or in linux');
  }
};

const isBind = ({ type, options }: Mount): boolean =>
  type === 'bind' || (options?.some((option) => option === 'bind' || option === 'rbind') ?? false);

/** No range is empty, reaches beyond the ids there are or meets another one, inside or outside: else uid_map says EINVAL. */
function checkRanges(mappings: readonly IdMapping[], place: Path): void {
  if (mappings.length > MOST_RANGES) throw refused(place, `expected at most ${MOST_RANGES} ranges, found ${mappings.length}`);
  for (const [i, { containerID, hostID, size }] of mappings.entries()) {
    if (size === 0) throw mismatch([...place, i, 'size'], 'at least 1', size);
    if (Math.max(containerID, hostID) + size > ID_END) throw refused([...place, i], `reaches beyond the last id, ${ID_END - 1}`);
  }
  for (const side of ['containerID', 'hostID'] as const) {
    const sorted = [...mappings.entries()].sort(([, a], [, b]) => a[side] - b[side]);
    for (const [k, [i, mapping]] of sorted.entries()) {
      const before = sorted[k - 1];
      if (before !== undefined && before[1][side] + before[1].size > mapping[side]) {
        throw refused([...place, i, side], `meets the range of ${place.at(-1)}[${before[0]}]`);
      }
    }
  }
}
