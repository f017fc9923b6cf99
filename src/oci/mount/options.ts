import {
  MOUNT_ATTR_NOATIME, MOUNT_ATTR_NODEV, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY, MOUNT_ATTR_RELATIME, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, MS_PRIVATE, MS_REC, MS_SHARED, MS_SLAVE,
  MS_UNBINDABLE,
} from '../../abi/mount.ts';

/** Attributes of a mount to set and to clear, as mount_setattr(2) takes them. */
export interface Attributes {
  readonly set: number;
  readonly clear: number;
}

/** The options of one mount of config.json, sorted by who takes them. */
export interface MountOptions {
  /** `bind` or `rbind`, and whether with what is mounted below. */
  readonly bind?: 'one' | 'recursive';
  readonly remount: boolean;
  readonly attributes: Attributes;
  /** The `r…` options: for everything below too. */
  readonly recursive: Attributes;
  /** MS_SHARED and so on, with MS_REC, in the order given. */
  readonly propagation: readonly number[];
  readonly tmpcopyup: boolean;
  /** idmap or ridmap: the mount's own mappings, or the container's, apply to it. */
  readonly idmap?: 'one' | 'recursive';
  /** Flags of the file system itself (`sync`, `lazytime`), by their fsconfig(2) key. */
  readonly flags: readonly string[];
  /** The rest: the file system's own, `size=64k` or `ro`. */
  readonly data: readonly string[];
}

const on = (bit: number): Attributes => ({ set: bit, clear: 0 });
const off = (bit: number): Attributes => ({ set: 0, clear: bit });
/** One of the exclusive access-time modes: mount_setattr(2) wants the old one cleared with it. */
const atime = (mode: number): Attributes => ({ set: mode, clear: MOUNT_ATTR__ATIME });

/** Table of config.md "Mounts", Linux: every attribute and its opposite. With an `r` in front they apply recursively. */
const attributeOptions: Readonly<Record<string, Attributes>> = {
  ro: on(MOUNT_ATTR_RDONLY), rw: off(MOUNT_ATTR_RDONLY),
  nosuid: on(MOUNT_ATTR_NOSUID), suid: off(MOUNT_ATTR_NOSUID),
  nodev: on(MOUNT_ATTR_NODEV), dev: off(MOUNT_ATTR_NODEV),
  noexec: on(MOUNT_ATTR_NOEXEC), exec: off(MOUNT_ATTR_NOEXEC),
  nodiratime: on(MOUNT_ATTR_NODIRATIME), diratime: off(MOUNT_ATTR_NODIRATIME),
  nosymfollow: on(MOUNT_ATTR_NOSYMFOLLOW), symfollow: off(MOUNT_ATTR_NOSYMFOLLOW),
  relatime: atime(MOUNT_ATTR_RELATIME), norelatime: atime(MOUNT_ATTR_STRICTATIME),
  noatime: atime(MOUNT_ATTR_NOATIME), atime: atime(MOUNT_ATTR_RELATIME),
  strictatime: atime(MOUNT_ATTR_STRICTATIME), nostrictatime: atime(MOUNT_ATTR_RELATIME),
};

const propagationOptions: Readonly<Record<string, number>> = {
  shared: MS_SHARED, rshared: MS_SHARED | MS_REC, slave: MS_SLAVE, rslave: MS_SLAVE | MS_REC,
  private: MS_PRIVATE, rprivate: MS_PRIVATE | MS_REC, unbindable: MS_UNBINDABLE, runbindable: MS_UNBINDABLE | MS_REC,
};

/** Flags of a superblock. Their opposites are what a new file system has anyway. */
const fileSystemFlags = new Set(['sync', 'dirsync', 'lazytime', 'mand', 'iversion', 'silent']);
const defaults = new Set(['defaults', 'async', 'nolazytime', 'nomand', 'noiversion', 'loud', 'norbind', 'nobind']);

/** Sorts the options of a mount. What no table knows is the file system's own, as mount(8) has it. */
export function parseMountOptions(options: readonly string[]): MountOptions {
  let bind: 'one' | 'recursive' | undefined;
  let idmap: 'one' | 'recursive' | undefined;
  let attributes: Attributes = { set: 0, clear: 0 };
  let recursive: Attributes = { set: 0, clear: 0 };
  const propagation: number[] = [];
  const flags: string[] = [];
  const data: string[] = [];
  for (const option of options) {
    const propagates = propagationOptions[option];
    const attribute = attributeOptions[option];
    const below = option.startsWith('r') && !attribute ? attributeOptions[option.slice(1)] : undefined;
    if (option === 'bind') bind ??= 'one';
    else if (option === 'rbind') bind = 'recursive';
    else if (option === 'idmap') idmap = 'one';
    else if (option === 'ridmap') idmap = 'recursive';
    else if (propagates !== undefined) propagation.push(propagates);
    else if (attribute) attributes = merge(attributes, attribute);
    else if (below) recursive = merge(recursive, below);
    else if (fileSystemFlags.has(option)) flags.push(option);
    else if (option !== 'remount' && option !== 'tmpcopyup' && !defaults.has(option)) data.push(option);
  }
  return {
    remount: options.includes('remount'),
    tmpcopyup: options.includes('tmpcopyup'),
    attributes,
    recursive,
    propagation,
    flags,
    data,
    ...(bind && { bind }),
    ...(idmap && { idmap }),
  };
}

/** A later option overrides an earlier one on the same bits. */
function merge(earlier: Attributes, later: Attributes): Attributes {
  const touched = later.set | later.clear;
  return { set: (earlier.set & ~touched) | later.set, clear: (earlier.clear & ~later.set) | later.clear };
}

/** `/mounts/3` as people write it. */
export function named(pointer: string): string {
  return pointer.slice(1).replace(/\/(\d+)/, '[$1]');
}
