import { SECCOMP_SET_MODE_FILTER } from '../abi/seccomp.ts';
import { sock_fprog } from '../abi/structs.ts';
import { bytes, record } from '../plan/block.ts';
import { call, type Item } from '../plan/step.ts';
import { compileSeccomp } from '../seccomp/compile.ts';
import type { Build, Field } from './field.ts';

/**
 * linux.seccomp. The filter is the last thing before the program: every call of ours after it would have to be in the profile.
 * Without noNewPrivileges it needs CAP_SYS_ADMIN, so there it is set before the capabilities go.
 */
function filter(build: Build): Item[] {
  const profile = build.config.linux?.seccomp;
  if (!profile) return [];
  const compiled = compileSeccomp(profile);
  const count = compiled.program.length / 8;
  const program = record(sock_fprog, { len: count, filter: bytes(compiled.program, `${count} instructions`) });
  return [call('seccomp', [SECCOMP_SET_MODE_FILTER, compiled.flags, program], '/linux/seccomp')];
}

export const earlySeccomp: Field = {
  at: [],
  support: 'full',
  init: (build) => (build.config.process?.noNewPrivileges ? [] : filter(build)),
};

export const seccomp: Field = {
  at: ['/linux/seccomp'],
  support: 'full',
  init: (build) => (build.config.process?.noNewPrivileges ? filter(build) : []),
};
