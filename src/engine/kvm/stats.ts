/** What KVM has counted of a processor, by name (KVM_GET_STATS_FD, kernel 5.14). */
import fs from 'node:fs';
import { KVM_GET_STATS_FD, kvm_stats_desc, kvm_stats_header } from '../../abi/kvm.ts';
import { ioctl } from '../../sys/syscall.ts';
import type { Vcpu } from './vcpu.ts';

/** More than any kernel has. */
const mostBytes = 65536;

/**
 * One count.
 * @param name `insn_emulation`, `exits`, ...: the kernel's own
 * @returns undefined when this kernel does not tell
 */
export function statistic(vcpu: Vcpu, name: string): number | undefined {
  const fd = ioctl(vcpu.fd, KVM_GET_STATS_FD);
  if (fd < 0) return undefined;
  try {
    const bytes = Buffer.alloc(mostBytes);
    fs.readSync(fd, bytes, 0, mostBytes, 0);
    return find(bytes, name);
  } finally {
    fs.closeSync(fd);
  }
}

function find(bytes: Buffer, name: string): number | undefined {
  const head = (field: keyof typeof kvm_stats_header.fields): number => bytes.readUInt32LE(kvm_stats_header.fields[field].offset);
  const nameSize = head('name_size');
  for (let number = 0; number < head('num_desc'); number++) {
    const at = head('desc_offset') + number * (kvm_stats_desc.size + nameSize);
    const start = at + kvm_stats_desc.size;
    if (bytes.toString('latin1', start, start + nameSize).replace(/\0.*$/s, '') !== name) continue;
    return Number(bytes.readBigUInt64LE(head('data_offset') + bytes.readUInt32LE(at + kvm_stats_desc.fields.offset.offset)));
  }
  return undefined;
}
