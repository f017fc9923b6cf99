import fs from 'node:fs';
import {
  BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI, BPF_PROG_ATTACH, BPF_PROG_DETACH, BPF_PROG_GET_FD_BY_ID, BPF_PROG_LOAD, BPF_PROG_QUERY,
  BPF_PROG_TYPE_CGROUP_DEVICE,
} from '../abi/bpf.ts';
import { bpf_prog_attach, bpf_prog_get_fd_by_id, bpf_prog_load, bpf_prog_query } from '../abi/structs.ts';
import { applyWrites } from '../cgroup/control.ts';
import { deviceProgram } from '../cgroup/device-program.ts';
import { devicePolicy, devicesVersion, deviceWrites } from '../cgroup/devices.ts';
import { freeze, isFrozen, thaw } from '../cgroup/freezer.ts';
import type { CgroupHost } from '../cgroup/hierarchy.ts';
import type { DeviceRule } from '../cgroup/linux-resources.ts';
import type { CgroupPaths } from '../cgroup/path.ts';
import { DelosError } from '../lib/errors.ts';
import { get, put, type Layout } from '../lib/layout.ts';
import { addressOfBytes, SystemCallError, syscall } from '../sys/syscall.ts';

const field = '/linux/resources/devices';

/** More programs than that the kernel attaches to no cgroup, BPF_CGROUP_MAX_PROGS. */
const MOST_PROGRAMS = 64;

/**
 * Keeps a cgroup that is in use to other devices than before.
 * @throws DelosError bad-config, unsupported, kernel-refused
 */
export async function changeDevices(host: CgroupHost, paths: CgroupPaths, rules: readonly DeviceRule[]): Promise<void> {
  const policy = devicePolicy(rules);
  const version = devicesVersion(host);
  if (version === 1) {
    const writes = deviceWrites(policy);
    await whileFrozen(paths, () => applyWrites(paths, writes));
  } else if (version === 2 && paths[''] !== undefined) {
    replaceDeviceProgram(paths[''], deviceProgram(policy));
  } else {
    throw new DelosError('unsupported', 'linux.resources.devices: this host has no cgroups that limit devices', { field });
  }
}

/** v1 takes everything away before it gives: nobody may come upon that moment. */
async function whileFrozen(paths: CgroupPaths, change: () => void): Promise<void> {
  const isPaused = isFrozen(paths);
  if (!isPaused) await freeze(paths);
  try {
    change();
  } finally {
    if (!isPaused) thaw(paths);
  }
}

/**
 * Attaches a program of type BPF_PROG_TYPE_CGROUP_DEVICE to a v2 cgroup, then detaches those that were there. In between an access
 * has to suit both, so there is no moment without a limit.
 * @throws DelosError kernel-refused
 */
export function replaceDeviceProgram(directory: string, program: Uint8Array): void {
  using stack = new DisposableStack();
  const opened = (descriptor: number): number => stack.adopt(descriptor, (fd) => fs.closeSync(fd));
  try {
    const group = opened(fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY));
    const former = attachedPrograms(group).map((id) => opened(bpf(BPF_PROG_GET_FD_BY_ID, bpf_prog_get_fd_by_id, { prog_id: id }).result));
    const fresh = opened(loadProgram(program));
    bpf(BPF_PROG_ATTACH, bpf_prog_attach, { target_fd: group, attach_bpf_fd: fresh, attach_type: BPF_CGROUP_DEVICE, attach_flags: BPF_F_ALLOW_MULTI });
    for (const fd of former) bpf(BPF_PROG_DETACH, bpf_prog_attach, { target_fd: group, attach_bpf_fd: fd, attach_type: BPF_CGROUP_DEVICE });
  } catch (cause) {
    if (!(cause instanceof SystemCallError)) throw cause;
    throw new DelosError('kernel-refused', `linux.resources.devices: ${directory}: ${cause.message}`, { cause, field, call: cause.call, errno: cause.errno });
  }
}

function loadProgram(program: Uint8Array): number {
  const license = Buffer.from('Apache-2.0\0');
  return bpf(BPF_PROG_LOAD, bpf_prog_load, {
    prog_type: BPF_PROG_TYPE_CGROUP_DEVICE, insn_cnt: program.length / 8, insns: addressOfBytes(program), license: addressOfBytes(license),
  }).result;
}

/** Their ids. */
function attachedPrograms(group: number): number[] {
  const ids = new Uint32Array(MOST_PROGRAMS);
  const { view } = bpf(BPF_PROG_QUERY, bpf_prog_query, {
    'query.target_fd': group, 'query.attach_type': BPF_CGROUP_DEVICE, 'query.prog_ids': addressOfBytes(ids), 'query.prog_cnt': ids.length,
  });
  return [...ids.subarray(0, Number(get(view, bpf_prog_query.fields['query.prog_cnt'].offset, 'u32')))];
}

/** bpf(2) with those members set, the others 0. */
function bpf<Name extends string>(command: number, layout: Layout<Name>, values: { readonly [name in Name]?: number | bigint }): { result: number; view: DataView } {
  const attributes = new Uint8Array(layout.size);
  const view = new DataView(attributes.buffer);
  for (const [name, value] of Object.entries(values) as [Name, number | bigint][]) put(view, layout.fields[name].offset, layout.fields[name].type, value);
  return { result: syscall('bpf', command, attributes, layout.size), view };
}
