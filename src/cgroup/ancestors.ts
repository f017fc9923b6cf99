import { dirname } from 'node:path/posix';
import type { CgroupDirectory } from './path.ts';

/** A write to a cgroup that is not the container's own, but on the way to it. */
export interface AncestorWrite {
  /** Absolute. */
  readonly directory: string;
  readonly file: string;
  readonly value: string;
  readonly why: string;
  readonly optional?: boolean;
}

/**
 * What has to be written to cgroup.subtree_control of every ancestor, from the root down, before the container's v2 cgroup has
 * the files of its controllers. (A cgroup's own subtree_control is about its children.) Those that `needed` limits
 * must be had; the others are tried one by one, so that statistics exist.
 *
 * @param available cgroup.controllers of the root
 * @param enabled by directory, what its subtree_control holds now; absent for one that is yet to be made
 */
export function subtreeWrites(
  { create }: CgroupDirectory, available: readonly string[], needed: readonly string[],
  enabled: Readonly<Record<string, readonly string[]>> = {},
): AncestorWrite[] {
  return create.map((directory) => dirname(directory)).flatMap((directory) => {
    const missing = available.filter((name) => !(enabled[directory] ?? []).includes(name));
    const must = missing.filter((name) => needed.includes(name));
    const write = (names: readonly string[]): AncestorWrite =>
      ({ directory, file: 'cgroup.subtree_control', value: names.map((name) => `+${name}`).join(' '), why: '/linux/resources' });
    return [
      ...(must.length === 0 ? [] : [write(must)]),
      ...missing.filter((name) => !must.includes(name)).map((name) => ({ ...write([name]), optional: true })),
    ];
  });
}

/** What a v1 cpuset has to be given before a process can join it. */
export interface Cpuset {
  readonly cpus: string;
  readonly mems: string;
}

/**
 * A new v1 cpuset has neither processors nor memory nodes, and nobody can join it; so the parent's are copied down to it and to
 * every cgroup on the way that is as empty.
 * @param empty the directories, out of `create`, that do not exist or whose cpuset.cpus is empty
 * @param parent what the cgroup above the first of them holds
 */
export function cpusetWrites({ create }: CgroupDirectory, empty: readonly string[], parent: Cpuset): AncestorWrite[] {
  return create.flatMap((directory) => (!empty.includes(directory) ? [] : [
    { directory, file: 'cpuset.cpus', value: parent.cpus, why: '/linux/cgroupsPath' },
    { directory, file: 'cpuset.mems', value: parent.mems, why: '/linux/cgroupsPath' },
  ]));
}
