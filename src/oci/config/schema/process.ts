/** config.md "Process", with its POSIX and Linux parts. */
import { array, boolean, integer, nonEmptyArray, object, oneOf, optional, string, unlessEmpty } from '../shape.ts';
import type { Capabilities, ConsoleSize, ExecCpuAffinity, IoPriority, Process, Rlimit, Scheduler, User } from '../types.ts';
import { absolutePath, numberList, strings, uint32, uint64, variable } from './values.ts';

/** struct winsize, ioctl_tty(2), counts in 16 bits. */
const consoleSize = object<ConsoleSize>({
  height: integer(0, 65535),
  width: integer(0, 65535),
});

const user = object<User>({
  uid: optional(uint32),
  gid: optional(uint32),
  umask: optional(integer(0, 0o777)),
  additionalGids: optional(array(uint32)),
  username: unlessEmpty(string),
});

const capabilities = object<Capabilities>({
  bounding: optional(strings),
  effective: optional(strings),
  inheritable: optional(strings),
  permitted: optional(strings),
  ambient: optional(strings),
});

const rlimit = object<Rlimit>({
  type: string,
  soft: uint64,
  hard: uint64,
});

const scheduler = object<Scheduler>({
  policy: oneOf('SCHED_OTHER', 'SCHED_FIFO', 'SCHED_RR', 'SCHED_BATCH', 'SCHED_ISO', 'SCHED_IDLE', 'SCHED_DEADLINE'),
  nice: optional(integer(-20, 19)),
  priority: optional(integer(0, 99)),
  flags: optional(array(oneOf(
    'SCHED_FLAG_RESET_ON_FORK', 'SCHED_FLAG_RECLAIM', 'SCHED_FLAG_DL_OVERRUN', 'SCHED_FLAG_KEEP_POLICY',
    'SCHED_FLAG_KEEP_PARAMS', 'SCHED_FLAG_UTIL_CLAMP_MIN', 'SCHED_FLAG_UTIL_CLAMP_MAX',
  ))),
  runtime: optional(uint64),
  deadline: optional(uint64),
  period: optional(uint64),
});

const ioPriority = object<IoPriority>({
  class: oneOf('IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE'),
  priority: optional(integer(0, 7)),
});

const execCPUAffinity = object<ExecCpuAffinity>({
  initial: unlessEmpty(numberList),
  final: unlessEmpty(numberList),
});

export const process = object<Process>({
  terminal: optional(boolean),
  consoleSize: optional(consoleSize),
  user: optional(user),
  args: optional(nonEmptyArray(string, 'string')),
  commandLine: unlessEmpty(string),
  env: optional(array(variable)),
  cwd: absolutePath,
  capabilities: optional(capabilities),
  rlimits: optional(array(rlimit)),
  noNewPrivileges: optional(boolean),
  apparmorProfile: unlessEmpty(string),
  oomScoreAdj: optional(integer(-1000, 1000)),
  selinuxLabel: unlessEmpty(string),
  scheduler: optional(scheduler),
  ioPriority: optional(ioPriority),
  execCPUAffinity: optional(execCPUAffinity),
});
