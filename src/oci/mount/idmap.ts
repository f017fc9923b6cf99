import { CLONE_NEWUSER, CLONE_PIDFD } from '../../abi/clone.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, O_CLOEXEC, O_DIRECTORY, O_PATH, O_RDONLY } from '../../abi/fcntl.ts';
import { MOUNT_ATTR_IDMAP } from '../../abi/mount.ts';
import { flagNames } from '../../abi/names.ts';
import { PR_SET_PDEATHSIG } from '../../abi/process.ts';
import { SIGCHLD, SIGKILL } from '../../abi/signal.ts';
import { clone_args, mount_attr } from '../../abi/structs.ts';
import { addressOf, Block, cell, member, record, type Cell } from '../../plan/block.ts';
import { call, jump, type Item } from '../../plan/step.ts';
import type { IdMapping, Mount } from '../config/types.ts';
import { label, type Build } from '../field.ts';
import { writeFile } from '../open.ts';
import type { MountOptions } from './options.ts';

export interface IdMap {
  readonly uids: readonly IdMapping[];
  readonly gids: readonly IdMapping[];
  /** AT_RECURSIVE for the mounts below as well. */
  readonly recursive?: number;
}

/**
 * Idmapped mounts: mount_setattr(2) takes the mapping as a user namespace, and a user namespace only exists around a process.
 * So one is cloned, waits while its maps are written and its namespace is opened, and is killed.
 */
export function idMap(build: Build, { uids, gids, recursive = 0 }: IdMap, mounts: readonly Cell[], why: string): Item[] {
  const { cells } = build;
  const holder = cell('id map holder');
  const pid = cell('id map holder pid');
  const child = label('id map holder');
  const parent = label('id map holder started');
  const name = new Block(new Uint8Array(24), () => '"PID"');
  const args = record(
    clone_args,
    { flags: CLONE_NEWUSER | CLONE_PIDFD, pidfd: addressOf(holder), exit_signal: SIGCHLD },
    { flags: (value) => flagNames('CLONE_', value) },
  );
  const attributes = record(mount_attr, { attr_set: MOUNT_ATTR_IDMAP }, { attr_set: () => 'MOUNT_ATTR_IDMAP' });
  const namespace = member(attributes, mount_attr, 'userns_fd');
  return [
    call('clone3', [args, clone_args.size], why, { child, out: pid }),
    jump(parent, why),
    child,
    call('prctl', [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0], 'a refusal takes it along'),
    call('pause', [], 'until it is killed'),
    call('exit_group', [0], why),
    parent,
    call('decimal', [name, pid], why),
    call('openat', [AT_FDCWD, '/proc', O_PATH | O_DIRECTORY | O_CLOEXEC, 0], why, { out: cells.directory }),
    call('openat', [cells.directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC, 0], why, { out: cells.target }),
    call('close', [cells.directory], why),
    ...writeFile(build, cells.target, 'uid_map', lines(uids), `${why}/uidMappings`),
    ...writeFile(build, cells.target, 'gid_map', lines(gids), `${why}/gidMappings`),
    call('openat', [cells.target, 'ns/user', O_RDONLY | O_CLOEXEC, 0], why, { out: namespace }),
    call('close', [cells.target], why),
    ...mounts.map((mount) => call('mount_setattr', [mount, '', AT_EMPTY_PATH | recursive, attributes, mount_attr.size], `${why}/uidMappings`)),
    call('close', [namespace], why),
    call('pidfd_send_signal', [holder, SIGKILL, 0, 0], why),
    call('wait', [holder, -1], why),
    call('close', [holder], why),
  ];
}

/** What a bind mount asks for: ranges of its own, or those of the container. */
export function idMapOf({ config }: Build, mount: Mount, { idmap }: MountOptions): IdMap {
  const { uidMappings = [], gidMappings = [] } = config.linux ?? {};
  return { uids: mount.uidMappings ?? uidMappings, gids: mount.gidMappings ?? gidMappings, recursive: idmap === 'recursive' ? AT_RECURSIVE : 0 };
}

function lines(mappings: readonly IdMapping[]): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');
}
