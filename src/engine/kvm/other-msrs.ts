/** MSRs that cpu_state does not have. They are asked for when a snapshot is taken, and never in a run. */

import fs from 'node:fs';
import { KVM_GET_MSR_INDEX_LIST, KVM_GET_MSRS, KVM_SET_MSRS } from '../../abi/kvm.ts';
import { stateOfMsr } from '../../cpu/state.ts';
import { DelosError } from '../../lib/errors.ts';
import { ioctl } from '../../sys/syscall.ts';
import { MsrList } from './msrs.ts';
import { kvmCall, type Vcpu } from './vcpu.ts';
import { openKvm } from './vm.ts';

/** More than any kernel's list has. */
const mostMsrs = 1024;

const IA32_TSC = 0x10;
/** Older kernels leave them out of their list: eight variable pairs, eleven fixed ones, the default type (SDM volume 3, table 11-9). */
const mtrrs = [...Array.from({ length: 16 }, (_, at) => 0x200 + at), 0x250, 0x258, 0x259, ...Array.from({ length: 8 }, (_, at) => 0x268 + at), 0x2ff];

const inState: ReadonlySet<number> = new Set([IA32_TSC, ...Object.keys(stateOfMsr).map(Number)]);

/** Numbers of the MSRs that this kernel says a machine's state has, and that cpu_state does not. */
function indices(): number[] {
  const list = new Uint32Array(1 + mostMsrs);
  list[0] = mostMsrs;
  const device = openKvm();
  try {
    kvmCall('KVM_GET_MSR_INDEX_LIST', device, KVM_GET_MSR_INDEX_LIST, list);
  } finally {
    fs.closeSync(device);
  }
  const known = new Set([...list.subarray(1, 1 + (list[0] as number)), ...mtrrs]);
  return [...known].filter((index) => !inState.has(index));
}

/** One MSR; undefined when this guest does not have it. */
function read(vcpu: Vcpu, index: number): bigint | undefined {
  const list = new MsrList([index]);
  return ioctl(vcpu.fd, KVM_GET_MSRS, list.bytes) === 1 ? list.value(0) : undefined;
}

export function getOtherMsrs(vcpu: Vcpu): Map<number, bigint> {
  return new Map(indices().flatMap((index) => {
    const value = read(vcpu, index);
    return value === undefined ? [] : [[index, value] as const];
  }));
}

/** Those that this guest has, and that are not so already. @throws DelosError when KVM refuses a value */
export function setOtherMsrs(vcpu: Vcpu, values: ReadonlyMap<number, bigint>): void {
  for (const [index, value] of values) {
    const present = read(vcpu, index);
    if (present === undefined || present === value) continue;
    const list = new MsrList([index]);
    list.put(0, index, value);
    if (ioctl(vcpu.fd, KVM_SET_MSRS, list.bytes) !== 1) throw new DelosError('bad-machine', `KVM does not take the value 0x${value.toString(16)} of MSR 0x${index.toString(16)}`);
  }
}
