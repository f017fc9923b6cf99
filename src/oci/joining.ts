import { CLONE_PARENT } from '../abi/clone.ts';
import { AT_FDCWD, O_CLOEXEC, O_RDONLY } from '../abi/fcntl.ts';
import { PR_SET_DUMPABLE } from '../abi/process.ts';
import { call, type Item, type Label, type Section, type Step } from '../plan/step.ts';
import { giveUp } from './channel.ts';
import { openCgroups } from './cgroup.ts';
import { label, type Build, type Field, type Joined } from './field.ts';
import { cloneInit } from './init.ts';
import { namespaceTypes } from './namespaces.ts';

/**
 * A process between the runtime and init that joins namespaces, makes init from there as a child of the runtime, and ends. So what is
 * new belongs to a user namespace that was joined; a namespace of the host can be joined beside a user namespace that is new; and the
 * runtime itself stays where it is.
 * @param first what it does before
 * @param flags CLONE_NEW*, for what is new
 * @param start where it begins
 * @param child where init begins
 */
export function joiningSection(build: Build, first: readonly Item[], flags: number, start: Label, child: Label): Section {
  const refused = label('joining was refused');
  const { open, clone } = cloneInit(build, flags | CLONE_PARENT, child);
  return {
    name: 'joining',
    items: [
      start,
      call('trap', [refused], 'what to do when a call is refused'),
      ...first,
      ...openCgroups(build),
      ...open,
      ...build.joined.map(openNamespace),
      call('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0], 'nothing of it can be reached through /proc'),
      ...joinSteps(build),
      clone,
      call('exit_group', [0], 'init is there'),
      refused,
      ...giveUp(build),
    ],
  };
}

/** The runtime waits for that process, and takes init for its own. */
export function takeOver({ cells }: Build): Item[] {
  const why = 'init is made';
  return [
    call('wait', [cells.pidfd, -1], why, { want: 0 }),
    call('close', [cells.pidfd], why),
    call('pidfd_open', [cells.pid, 0], why, { out: cells.pidfd }),
  ];
}

/**
 * linux.namespaces, config-linux.md "Namespaces": what is left of it to init. It joins a cgroup namespace once it is in its cgroup: a
 * process in another one could not go there. cgroup_namespaces(7)
 */
export const joinCgroupNamespace: Field = {
  at: ['/linux/namespaces'],
  support: 'full',
  init: ({ joined }) => joined.filter(({ type }) => type === 'cgroup').map(join),
};

/** Paths mean something else once the mount namespace is joined, so all are opened first. */
function openNamespace({ path, file, why }: Joined): Step {
  return call('openat', [AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0], why, { out: file });
}

function join({ type, file, why }: Joined): Step {
  return call('setns', [file, namespaceTypes[type].flag], why);
}

/** A namespace is joined with the rights of the runtime, or else with those that the user namespace gives. */
function joinSteps(build: Build): Item[] {
  const others = build.joined.filter(({ type }) => type !== 'user' && type !== 'cgroup');
  const user = build.joined.filter(({ type }) => type === 'user');
  if (user.length === 0) return others.map(join);
  return [...others.flatMap(joinIfAllowed), ...user.map(join), ...others.map(joinUnlessDone)];
}

/** Its file is closed by success. */
function joinIfAllowed(joined: Joined): Item[] {
  const later = label(`${joined.type} namespace: not yet`);
  return [{ ...join(joined), accept: { EPERM: later } }, call('close', [joined.file], joined.why), later];
}

function joinUnlessDone(joined: Joined): Item {
  return { ...join(joined), accept: { EBADF: 'next' } };
}
