/** config-linux.md "Seccomp". Which names of actions, flags, architectures, operators and calls exist is known to src/seccomp. */
import { array, integer, nonEmptyArray, object, optional, string, text, unlessEmpty } from '../shape.ts';
import type { Seccomp, SeccompArg, SeccompSyscall } from '../types.ts';
import { nonEmpty, strings, uint32, uint64 } from './values.ts';

const arg = object<SeccompArg>({
  index: integer(0, 5),
  value: uint64,
  valueTwo: optional(uint64),
  op: nonEmpty,
});

const syscall = object<SeccompSyscall>({
  names: nonEmptyArray(nonEmpty, 'system call'),
  action: nonEmpty,
  errnoRet: optional(uint32),
  args: optional(array(arg)),
});

export const seccomp = object<Seccomp>({
  defaultAction: nonEmpty,
  defaultErrnoRet: optional(uint32),
  architectures: optional(strings),
  flags: optional(strings),
  listenerPath: unlessEmpty(string),
  listenerMetadata: unlessEmpty(text),
  syscalls: optional(array(syscall)),
});
