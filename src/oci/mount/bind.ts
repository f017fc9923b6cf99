import { AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, O_CLOEXEC } from '../../abi/fcntl.ts';
import { MS_SLAVE, OPEN_TREE_CLONE } from '../../abi/mount.ts';
import { mount_attr } from '../../abi/structs.ts';
import { DelosError } from '../../lib/errors.ts';
import { cell, record, type Cell } from '../../plan/block.ts';
import { call, type Item, type Step } from '../../plan/step.ts';
import path from 'node:path';
import type { Mount } from '../config/types.ts';
import { hasOwnUser, type Build } from '../field.ts';
import { openTarget } from '../open.ts';
import { attach, finish, setAttributes } from './attach.ts';
import { idMap, idMapOf } from './idmap.ts';
import { named, type MountOptions } from './options.ts';

/** Where a bind mount's source is: absolute, or relative to the bundle. */
export function bindSource({ request }: Build, mount: Mount): string {
  return path.resolve(request.bundle, mount.source ?? '');
}

/** A copy of the source's mount that is nowhere yet. */
function openSource(build: Build, mount: Mount, options: MountOptions, out: Cell, why: string): Step {
  const recursive = options.bind === 'recursive' ? AT_RECURSIVE : 0;
  return call('open_tree', [AT_FDCWD, bindSource(build, mount), OPEN_TREE_CLONE | O_CLOEXEC | recursive], `${why}/source`, { out });
}

/**
 * Whether the runtime, not init, opens the source: with a user namespace, init may be nobody on the way to it, and an id map
 * can only be put on by who owns the file system.
 */
function runtimeOpens(build: Build, options: MountOptions): boolean {
  return build.facts.uid === 0 && (hasOwnUser(build) || options.idmap !== undefined);
}

/** A copy that the runtime has made is a peer of the host's mount, as init's is not: what is mounted below it must stay in the container. */
function apart(opened: Cell, why: string): Step {
  const attributes = record(mount_attr, { propagation: MS_SLAVE }, { propagation: () => 'MS_SLAVE' });
  return call('mount_setattr', [opened, '', AT_EMPTY_PATH | AT_RECURSIVE, attributes, mount_attr.size], `${why}/source`);
}

/** One bind mount: the steps of the runtime, and those of init. */
export function bindMount(build: Build, mount: Mount, options: MountOptions, why: string): { before: Item[]; init: Item[] } {
  const source = bindSource(build, mount);
  const kind = build.facts.sources[source];
  if (kind === undefined) throw new DelosError('bad-config', `${named(why)}.source: ${source} does not exist`, { field: `${why}/source` });
  const early = runtimeOpens(build, options);
  const opened = early ? cell(`mount of ${source}`) : build.cells.mount;
  const open = openSource(build, mount, options, opened, why);
  const { set, clear } = options.attributes;
  return {
    before: early ? [open, apart(opened, why), ...(options.idmap ? idMap(build, idMapOf(build, mount, options), [opened], why) : [])] : [],
    init: [
      ...openTarget(build, mount.destination, kind, why),
      ...(early ? [] : [open]),
      ...(set | clear ? [setAttributes(opened, options.attributes, `${why}/options`)] : []),
      ...attach(build, opened, why),
      ...finish(opened, options, `${why}/options`),
      call('close', [opened], why),
    ],
  };
}
