import * as clone from '../abi/clone.ts';
import * as abi from '../abi/process.ts';
import { sched_attr } from '../abi/structs.ts';
import { bytes, record } from '../plan/block.ts';
import { call } from '../plan/step.ts';
import { DelosError } from '../lib/errors.ts';
import type { Field } from './field.ts';

/** process.scheduler, sched_setattr(2). */
export const scheduler: Field = {
  at: ['/process/scheduler'],
  support: { partial: 'SCHED_ISO is reserved by the kernel and refused' },
  init: ({ config }) => {
    const wanted = config.process?.scheduler;
    if (!wanted) return [];
    if (wanted.policy === 'SCHED_ISO') throw new DelosError('unsupported', 'process.scheduler.policy: Linux has no SCHED_ISO', { field: '/process/scheduler/policy' });
    const policy = wanted.policy === 'SCHED_OTHER' ? clone.SCHED_NORMAL : clone[wanted.policy];
    const attributes = record(sched_attr, {
      size: sched_attr.size,
      sched_policy: policy,
      sched_flags: (wanted.flags ?? []).reduce((flags, name) => flags | clone[name], 0),
      sched_nice: wanted.nice ?? 0,
      sched_priority: wanted.priority ?? 0,
      sched_runtime: wanted.runtime ?? 0,
      sched_deadline: wanted.deadline ?? 0,
      sched_period: wanted.period ?? 0,
    });
    return [call('sched_setattr', [0, attributes, 0], '/process/scheduler')];
  },
};

/** process.ioPriority, ioprio_set(2). */
export const ioPriority: Field = {
  at: ['/process/ioPriority'],
  support: 'full',
  init: ({ config }) => {
    const wanted = config.process?.ioPriority;
    if (!wanted) return [];
    const priority = (abi[wanted.class] << abi.IOPRIO_CLASS_SHIFT) | (wanted.priority ?? 0);
    return [call('ioprio_set', [abi.IOPRIO_WHO_PROCESS, 0, priority], '/process/ioPriority')];
  },
};

/** linux.memoryPolicy, set_mempolicy(2). The policy outlives execve. */
export const memoryPolicy: Field = {
  at: ['/linux/memoryPolicy'],
  support: 'full',
  init: ({ config }) => {
    const wanted = config.linux?.memoryPolicy;
    if (!wanted) return [];
    const mode = (wanted.flags ?? []).reduce((bits, name) => bits | abi[name], abi[wanted.mode]);
    const nodes = wanted.nodes ?? '';
    const mask = nodes === '' ? undefined : bitmap(nodes);
    return [call('set_mempolicy', [mode, mask ? bytes(mask, nodes) : 0, mask ? mask.length * 8 + 1 : 0], '/linux/memoryPolicy')];
  },
};

/** A list such as `0-3,7` as the kernel's bitmap, whole 64-bit words. */
export function bitmap(list: string): Uint8Array {
  const numbers = list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  const mask = new Uint8Array(8 * (1 + Math.floor(Math.max(...numbers) / 64)));
  for (const number of numbers) mask[number >> 3] = (mask[number >> 3] ?? 0) | (1 << (number & 7));
  return mask;
}

/** linux.personality, personality(2). */
export const personality: Field = {
  at: ['/linux/personality'],
  support: 'full',
  init: ({ config }) => {
    const wanted = config.linux?.personality;
    return wanted ? [call('personality', [wanted.domain === 'LINUX32' ? abi.PER_LINUX32 : abi.PER_LINUX], '/linux/personality')] : [];
  },
};
