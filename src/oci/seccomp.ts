import { SECCOMP_SET_MODE_FILTER } from '../abi/seccomp.ts';
import { sock_fprog } from '../abi/structs.ts';
import { bytes, record, sharedCell } from '../plan/block.ts';
import { call, type Item } from '../plan/step.ts';
import { compileSeccomp } from '../seccomp/compile.ts';
import { whileInitWaits } from './channel.ts';
import type { Build, Field } from './field.ts';
import { checkListener, handOverListener } from './seccomp-listener.ts';

/**
 * linux.seccomp. The filter is the last thing before the program: every call of ours after it would have to be in the profile.
 * Two things need it earlier. Without noNewPrivileges it takes CAP_SYS_ADMIN, so there it is set before the capabilities go. And
 * a listener is handed over by the runtime, which is gone once a held container is ready.
 */
type Position = 'with privilege' | 'before ready' | 'last';

function position({ config }: Build): Position | undefined {
  const { process, linux } = config;
  if (!linux?.seccomp) return undefined;
  if (!process?.noNewPrivileges) return 'with privilege';
  return compileSeccomp(linux.seccomp).needsListener ? 'before ready' : 'last';
}

/** The listener's number in init, where the runtime takes it from. */
const listener = sharedCell('seccomp listener', -1);

function fieldAt(place: Position, at: readonly string[]): Field {
  return {
    at,
    support: 'full',
    init: (build) => (position(build) === place ? filter(build) : []),
    after: (build) => (position(build) === place ? handOver(build)?.after ?? [] : []),
  };
}

function filter(build: Build): Item[] {
  const profile = build.config.linux?.seccomp;
  if (!profile) return [];
  const { program, flags, needsListener } = compileSeccomp(profile);
  const count = program.length / 8;
  const filterProgram = record(sock_fprog, { len: count, filter: bytes(program, `${count} instructions`) });
  const out = needsListener ? { out: listener } : {};
  return [call('seccomp', [SECCOMP_SET_MODE_FILTER, flags, filterProgram], '/linux/seccomp', out), ...(handOver(build)?.init ?? [])];
}

function handOver(build: Build): ReturnType<typeof whileInitWaits> | undefined {
  const profile = build.config.linux?.seccomp;
  if (!profile || !compileSeccomp(profile).needsListener) return undefined;
  checkListener(profile);
  return whileInitWaits(build, handOverListener(build, listener, profile), '/linux/seccomp/listenerPath');
}

export const earlySeccomp = fieldAt('with privilege', []);
export const listenedSeccomp = fieldAt('before ready', []);
export const seccomp = fieldAt('last', ['/linux/seccomp']);
