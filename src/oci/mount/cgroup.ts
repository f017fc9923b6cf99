import { AT_FDCWD, O_CLOEXEC } from '../../abi/fcntl.ts';
import { MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY, MOVE_MOUNT_F_EMPTY_PATH, OPEN_TREE_CLONE } from '../../abi/mount.ts';
import { call, jump, type Accept, type Item } from '../../plan/step.ts';
import type { Mount } from '../config/types.ts';
import { hasNew, label, type Build } from '../field.ts';
import { openTarget } from '../open.ts';
import { attach, setAttributes } from './attach.ts';
import { newMount } from './filesystem.ts';
import type { MountOptions } from './options.ts';

/**
 * A mount of type cgroup. On a unified host, cgroup2 as the container's namespace sees it. Otherwise a tmpfs with a directory
 * for each v1 hierarchy, in which the container's own cgroup is bound, and links for those with more than one name
 * (`cpu` -> `cpu,cpuacct`), as runc and docker do.
 */
export function cgroupMount(build: Build, mount: Mount, options: MountOptions, why: string): Item[] {
  if (build.facts.cgroup.mode === 'unified') return unified(build, mount, options, why);
  const { cells } = build;
  const readonly = options.attributes.set & MOUNT_ATTR_RDONLY;
  const attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV;
  return [
    ...openTarget(build, mount.destination, 'directory', why),
    ...newMount(build, { type: 'tmpfs', source: 'tmpfs', data: ['mode=755'], attributes }, cells.mount, why),
    ...attach(build, cells.mount, why),
    ...build.request.cgroup.filter(({ hierarchy }) => hierarchy.version === 1).flatMap(({ hierarchy, directory }) => {
      const name = hierarchy.controllers.join(',').replace('name=', '');
      const links = hierarchy.controllers.length > 1 ? hierarchy.controllers : [];
      return [
        ...boundBelow(build, directory, name, attributes | readonly, why),
        ...links.map((controller) => call('symlinkat', [name, cells.mount, controller], why)),
      ];
    }),
    ...(readonly ? [setAttributes(cells.mount, { set: readonly, clear: 0 }, `${why}/options`)] : []),
    call('close', [cells.mount], why),
  ];
}

function unified(build: Build, mount: Mount, options: MountOptions, why: string): Item[] {
  const { cells, config, request } = build;
  const [own] = request.cgroup;
  if (!hasNew(config, 'cgroup') && own) return bound(build, own.directory, mount.destination, options.attributes.set, why);
  return [
    ...openTarget(build, mount.destination, 'directory', why),
    ...newMount(build, { type: 'cgroup2', source: 'cgroup', data: [], attributes: options.attributes.set }, cells.mount, why),
    ...attach(build, cells.mount, why),
    call('close', [cells.mount], why),
  ];
}

/** Binds a cgroup on a new directory of the tmpfs in `cells.mount`, which nobody else can reach yet. */
function boundBelow({ cells, facts }: Build, from: string, name: string, attributes: number, why: string): Item[] {
  const { file, mount } = cells;
  const missing = label(`${from} is not there`);
  return [
    call('mkdirat', [mount, name, 0o755], why),
    call('open_tree', [AT_FDCWD, from, OPEN_TREE_CLONE | O_CLOEXEC], why, { out: file, accept: facts.uid === 0 ? {} : { ENOENT: missing } }),
    setAttributes(file, { set: attributes, clear: 0 }, `${why}/options`),
    call('move_mount', [file, '', mount, name, MOVE_MOUNT_F_EMPTY_PATH], why),
    call('close', [file], why),
    missing,
  ];
}

/** Binds a cgroup. Without privilege it may not have been made; then its place stays an empty directory. */
function bound(build: Build, from: string, to: string, attributes: number, why: string): Item[] {
  const { file, target } = build.cells;
  const missing = label(`${from} is not there`);
  const done = label(`${from} is bound`);
  const accept: Accept = build.facts.uid === 0 ? {} : { ENOENT: missing };
  return [
    ...openTarget(build, to, 'directory', why),
    call('open_tree', [AT_FDCWD, from, OPEN_TREE_CLONE | O_CLOEXEC], why, { out: file, accept }),
    setAttributes(file, { set: attributes, clear: 0 }, `${why}/options`),
    ...attach(build, file, why),
    call('close', [file], why),
    jump(done, why),
    missing,
    call('close', [target], why),
    done,
  ];
}
