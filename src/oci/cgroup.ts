import { BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI, BPF_PROG_ATTACH, BPF_PROG_LOAD, BPF_PROG_TYPE_CGROUP_DEVICE } from '../abi/bpf.ts';
import { CLONE_NEWCGROUP } from '../abi/clone.ts';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_RDONLY, O_WRONLY } from '../abi/fcntl.ts';
import { bpf_prog_attach, bpf_prog_load } from '../abi/structs.ts';
import { cpusetWrites, subtreeWrites, type AncestorWrite } from '../cgroup/ancestors.ts';
import { deviceProgram } from '../cgroup/device-program.ts';
import { devicePolicy, devicesVersion, deviceWrites } from '../cgroup/devices.ts';
import type { CgroupDirectory } from '../cgroup/path.ts';
import { resourceWrites, unifiedControllersOf, type CgroupWrite } from '../cgroup/resources.ts';
import { bytes, cString, member, record } from '../plan/block.ts';
import { call, type Accept, type Item, type Label } from '../plan/step.ts';
import { label, namespaceOf, type Build, type Field } from './field.ts';

/**
 * linux.cgroupsPath and linux.resources: the cgroup is made and limited before init exists, so that no moment of the container's
 * life is without its limits.
 */
export const cgroup: Field = {
  at: ['/linux/cgroupsPath', '/linux/resources'],
  support: 'full',
  before: (build) => {
    const { config, facts, request } = build;
    const policy = devicePolicy(config.linux?.resources?.devices);
    const version = facts.uid === 0 ? devicesVersion(facts.cgroup) : undefined;
    const all = [...(version === 1 ? deviceWrites(policy) : []), ...limits(build)];
    return request.cgroup.flatMap((directory) => [
      ...makeDirectory(build, directory, all.filter((write) => belongs(write, directory))),
      ...(version === 2 && directory.hierarchy.version === 2 ? attachDevices(directory, deviceProgram(policy)) : []),
    ]);
  },
};

function limits({ config, facts }: Build): CgroupWrite[] {
  return resourceWrites(config.linux?.resources ?? {}, facts.cgroup);
}

function belongs({ controller }: CgroupWrite, { hierarchy }: CgroupDirectory): boolean {
  return hierarchy.version === 2 ? controller === '' : hierarchy.controllers.includes(controller);
}

/** mkdir, the ancestors' part, and the limits. Without privilege a hierarchy that is not delegated is left out, if nothing asked for it. */
function makeDirectory(build: Build, directory: CgroupDirectory, writes: readonly CgroupWrite[]): Item[] {
  const skipped = label(`${directory.directory} is left out`);
  const accept: Accept = build.facts.uid !== 0 && writes.length === 0 ? { EACCES: skipped, EPERM: skipped, EROFS: skipped } : {};
  const make = directory.create.map((path) => call('mkdir', [path, 0o755], '/linux/cgroupsPath', { accept: { EEXIST: 'next', ...accept } }));
  return [
    ...make,
    ...ancestors(build, directory, writes).flatMap((write) => writeTo(build, `${write.directory}/${write.file}`, [write])),
    ...byFile(writes).flatMap((same) => writeTo(build, `${directory.directory}/${same[0]?.file}`, same)),
    skipped,
  ];
}

function ancestors({ facts }: Build, directory: CgroupDirectory, writes: readonly CgroupWrite[]): AncestorWrite[] {
  if (directory.hierarchy.version === 2) {
    return subtreeWrites(directory, facts.cgroup.unifiedControllers, unifiedControllersOf(writes), facts.subtree);
  }
  return directory.hierarchy.controllers.includes('cpuset') ? cpusetWrites(directory, facts.cpuset.empty, facts.cpuset.parent) : [];
}

/** Neighbours that go to the same file, as the many rules of devices.allow. */
function byFile(writes: readonly CgroupWrite[]): CgroupWrite[][] {
  const groups: CgroupWrite[][] = [];
  for (const write of writes) {
    const last = groups.at(-1);
    if (last?.[0]?.file === write.file && last[0].optional === write.optional) last.push(write);
    else groups.push([write]);
  }
  return groups;
}

/** A write(2) for each to an existing file of a cgroup; an optional one may be refused, or have no file. */
function writeTo(build: Build, path: string, writes: readonly { value: string; why: string; optional?: boolean }[]): Item[] {
  const { file } = build.cells;
  const { why = '', optional } = writes[0] ?? {};
  const done = label(`${path} is done`);
  return [
    call('openat', [AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0], why, { out: file, accept: optional ? { any: done } : {} }),
    ...writes.map((write) => call('write', [file, write.value, Buffer.byteLength(write.value)], write.why, { accept: optional ? { any: 'next' } : {} })),
    call('close', [file], why),
    done,
  ];
}

/** cgroup v2 has no device files: a program decides. BPF_PROG_TYPE_CGROUP_DEVICE, attached for the cgroup and all below it. */
function attachDevices(directory: CgroupDirectory, program: Uint8Array): Item[] {
  const why = '/linux/resources/devices';
  const count = program.length / 8;
  const load = record(bpf_prog_load, {
    prog_type: BPF_PROG_TYPE_CGROUP_DEVICE, insn_cnt: count, insns: bytes(program, `${count} instructions`), license: cString('Apache-2.0'),
  });
  const attach = record(bpf_prog_attach, { attach_type: BPF_CGROUP_DEVICE, attach_flags: BPF_F_ALLOW_MULTI });
  const group = member(attach, bpf_prog_attach, 'target_fd');
  const loaded = member(attach, bpf_prog_attach, 'attach_bpf_fd');
  return [
    call('openat', [AT_FDCWD, directory.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0], why, { out: group }),
    call('bpf', [BPF_PROG_LOAD, load, bpf_prog_load.size], why, { out: loaded }),
    call('bpf', [BPF_PROG_ATTACH, attach, bpf_prog_attach.size], why),
    call('close', [loaded], why),
    call('close', [group], why),
  ];
}

/**
 * A process enters its cgroups by itself, before anything is done for the container. In v1 it moves its only thread, by `tasks`:
 * that takes no lock, while `cgroup.procs` stops every fork of the machine and waits for a grace period of RCU, which is
 * milliseconds (cgroup_procs_write_start in the kernel). In v2, clone3 has put it there already.
 */
export const joinCgroup: Field = {
  at: [],
  support: 'full',
  init: (build) =>
    joinedByInit(build).flatMap((directory) => {
      const done = label(`joined ${directory.directory}`);
      return [...(build.joined.length > 0 ? [] : [openTasks(build, directory, done)]), ...enter(build, directory, done), done];
    }),
};

/** For a container that joins namespaces: where init enters its cgroups is opened while paths are the runtime's. */
export function openCgroups(build: Build): Item[] {
  return joinedByInit(build).map((directory) => openTasks(build, directory, 'next'));
}

function joinedByInit(build: Build): CgroupDirectory[] {
  return build.request.cgroup.filter((directory) => !clonesInto(build, directory));
}

/** The cgroup namespace, whose root is the cgroup that init is in. */
export const cgroupNamespace: Field = {
  at: [],
  support: 'full',
  init: ({ config }) => {
    const found = namespaceOf(config, 'cgroup');
    return found && found.path === undefined ? [call('unshare', [CLONE_NEWCGROUP], found.pointer)] : [];
  },
};

/** CLONE_INTO_CGROUP, for the hierarchy that clone3 can enter. Without privilege it may not be there. */
export function clonesInto({ facts }: Build, { hierarchy }: CgroupDirectory): boolean {
  return hierarchy.version === 2 && facts.uid === 0;
}

function openTasks(build: Build, directory: CgroupDirectory, refused: Label | 'next'): Item {
  const path = `${directory.directory}/${directory.hierarchy.version === 1 ? 'tasks' : 'cgroup.procs'}`;
  const out = build.cells.tasks(directory.directory);
  return call('openat', [AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0], '/linux/cgroupsPath', { out, accept: undelegated(build, directory, refused) });
}

function enter(build: Build, directory: CgroupDirectory, refused: Label): Item[] {
  const tasks = build.cells.tasks(directory.directory);
  return [
    call('write', [tasks, '0', 1], '/linux/cgroupsPath', { accept: undelegated(build, directory, refused) }),
    call('close', [tasks], '/linux/cgroupsPath'),
  ];
}

/** Without privilege, a hierarchy that is not delegated is done without, unless there are limits that would not hold then. */
function undelegated(build: Build, directory: CgroupDirectory, next: Label | 'next'): Accept {
  const isOptional = build.facts.uid !== 0 && !limits(build).some((write) => belongs(write, directory));
  return isOptional ? { any: next } : {};
}
