import { AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../abi/fcntl.ts';
import {
  MNT_DETACH, MOUNT_ATTR_RDONLY, MOVE_MOUNT_F_EMPTY_PATH, MS_MOVE, MS_PRIVATE, MS_REC, MS_SHARED, MS_SLAVE, MS_UNBINDABLE, OPEN_TREE_CLONE,
} from '../abi/mount.ts';
import { mount_attr } from '../abi/structs.ts';
import { record } from '../plan/block.ts';
import { call, type Item } from '../plan/step.ts';
import type { RootfsPropagation } from './config/types.ts';
import { newMount } from './mount/filesystem.ts';
import { idMap } from './mount/idmap.ts';
import { hasNew, hasOwnUser, type Build, type Field, type Overlay } from './field.ts';

const propagationFlags: Readonly<Record<RootfsPropagation, number>> = {
  shared: MS_SHARED, rshared: MS_SHARED | MS_REC, slave: MS_SLAVE, rslave: MS_SLAVE | MS_REC,
  private: MS_PRIVATE, rprivate: MS_PRIVATE | MS_REC, unbindable: MS_UNBINDABLE, runbindable: MS_UNBINDABLE | MS_REC,
};

/**
 * root.path: a recursive bind of it in the container's own mount namespace, where nothing propagates back to the host, opened as
 * `cells.root`. All that follows happens relative to that descriptor.
 */
export const rootfs: Field = {
  at: ['/root/path'],
  support: 'full',
  before: (build) => (layersAreMapped(build) ? openLayers(build) : []),
  init: (build) => {
    const { root } = build.cells;
    const { rootfs: from, overlay } = build.request;
    const propagation = propagationFlags[build.config.linux?.rootfsPropagation ?? 'rslave'];
    const own = propagation & (MS_SLAVE | MS_PRIVATE) ? propagation | MS_REC : MS_SLAVE | MS_REC;
    return [
      call('umask', [0], 'modes are given as they are meant'),
      call('mount', [0, '/', 0, own, 0], '/linux/rootfsPropagation'),
      ...(overlay ? mountOverlay(build, overlay) : [call('open_tree', [AT_FDCWD, from, OPEN_TREE_CLONE | O_CLOEXEC | AT_RECURSIVE], '/root/path', { out: root })]),
      call('mount_setattr', [root, '', AT_EMPTY_PATH, record(mount_attr, { propagation: MS_PRIVATE }), mount_attr.size], 'pivot_root(2) wants a root that is not shared'),
      call('move_mount', [root, '', AT_FDCWD, from, MOVE_MOUNT_F_EMPTY_PATH], '/root/path'),
    ];
  },
};

const present = { accept: { EEXIST: 'next' } } as const;

/** The ids of the layers are those of the host: a container with other ids sees them through a map. */
function layersAreMapped({ config, facts, request }: Build): boolean {
  return request.overlay !== undefined && facts.uid === 0 && hasNew(config, 'user');
}

function openLayers(build: Build): Item[] {
  const { config: { linux }, cells, request } = build;
  const lowers = request.overlay?.lowers ?? [];
  const map = { uids: linux?.uidMappings ?? [], gids: linux?.gidMappings ?? [] };
  return [
    ...lowers.map((lower) => call('open_tree', [AT_FDCWD, lower, OPEN_TREE_CLONE | O_CLOEXEC], '/linux/uidMappings', { out: cells.layer(lower) })),
    ...idMap(build, map, lowers.map((lower) => cells.layer(lower)), '/linux'),
  ];
}

function mountLayer({ cells }: Build, lower: string, index: number): Item[] {
  const name = String(index);
  return [
    call('mkdirat', [cells.mount, name, 0o755], '/linux/uidMappings', present),
    call('move_mount', [cells.layer(lower), '', cells.mount, name, MOVE_MOUNT_F_EMPTY_PATH], '/linux/uidMappings'),
    call('close', [cells.layer(lower)], '/linux/uidMappings'),
  ];
}

/**
 * The copy-on-write root, in `cells.root`. The options of a mount are a page at most, so its layers go by short names beside what is
 * written. In a user namespace the overlay keeps its notes in user.* attributes.
 */
function mountOverlay(build: Build, { lowers, layer }: Overlay): Item[] {
  const { cells: { mount, root }, facts, request } = build;
  const why = 'a copy-on-write root';
  const volatile: Item[] = [
    ...newMount(build, { type: 'tmpfs', source: 'tmpfs', data: ['mode=755'], attributes: 0 }, mount, why),
    call('move_mount', [mount, '', AT_FDCWD, request.rootfs, MOVE_MOUNT_F_EMPTY_PATH], 'nothing can be mounted on what is mounted nowhere'),
    call('mkdirat', [mount, 'upper', 0o755], why),
    call('mkdirat', [mount, 'work', 0o755], why),
  ];
  const kept = call('openat', [AT_FDCWD, layer ?? '', O_PATH | O_DIRECTORY | O_CLOEXEC, 0], why, { out: mount });
  const user = hasOwnUser(build) || facts.uid !== 0 ? ',userxattr' : '';
  return [
    ...(layer === undefined ? volatile : [kept]),
    ...lowers.flatMap((lower, index) => (layersAreMapped(build) ? mountLayer(build, lower, index) : [call('symlinkat', [lower, mount, String(index)], why, present)])),
    call('mkdirat', [mount, 'root', 0o755], why, present),
    call('fchdir', [mount], why),
    call('mount', ['overlay', 'root', 'overlay', 0, `lowerdir=${[...lowers.keys()].join(':')},upperdir=upper,workdir=work${user}`], why),
    call('open_tree', [AT_FDCWD, 'root', OPEN_TREE_CLONE | O_CLOEXEC], why, { out: root }),
    call('chdir', ['/'], why),
    call('close', [mount], why),
  ];
}

/**
 * Makes the root the container's `/` and lets the host's go. pivot_root(".", ".") stacks the old root on the new one, so no
 * directory for it is needed. pivot_root(2), "pivot_root(".", ".")"
 */
export const pivot: Field = {
  at: [],
  support: 'full',
  init: (build) => {
    const { root } = build.cells;
    const enter = call('fchdir', [root], '/root/path');
    const leave: Item[] = build.request.noPivot
      ? [call('mount', ['.', '/', 0, MS_MOVE, 0], '--no-pivot'), call('chroot', ['.'], '--no-pivot')]
      : [call('pivot_root', ['.', '.'], '/root/path'), call('umount2', ['.', MNT_DETACH], 'the host is out of reach')];
    return [enter, ...leave, call('chdir', ['/'], '/root/path'), call('close', [root], '/root/path')];
  },
};

/** root.readonly and a rootfsPropagation that shares, once everything is mounted. */
export const rootAttributes: Field = {
  at: ['/root/readonly', '/linux/rootfsPropagation'],
  support: 'full',
  init: ({ config }) => {
    const propagation = propagationFlags[config.linux?.rootfsPropagation ?? 'rslave'];
    const steps: Item[] = [];
    if (config.root?.readonly) {
      const attributes = record(mount_attr, { attr_set: MOUNT_ATTR_RDONLY }, { attr_set: () => 'MOUNT_ATTR_RDONLY' });
      steps.push(call('mount_setattr', [AT_FDCWD, '/', 0, attributes, mount_attr.size], '/root/readonly'));
    }
    if (propagation & (MS_SHARED | MS_UNBINDABLE)) steps.push(call('mount', [0, '/', 0, propagation, 0], '/linux/rootfsPropagation'));
    return steps;
  },
};
