import { DelosError } from '../../lib/errors.ts';
import type { Caller } from './invocation.ts';

/** More are never open: the kernel's default for fs.nr_open. */
const MOST = 1_048_576;

export interface PreservedDescriptors {
  /** How many descriptors from 3 on go to the container. */
  readonly preserveFds: number;
  /** How many of them its program is told of, as sd_listen_fds(3) has it. */
  readonly listenFds: number;
}

/**
 * Those of `$LISTEN_FDS` come first, then those of `--preserve-fds`. `$LISTEN_PID` is not asked: podman sets it to 1.
 * @throws DelosError bad-usage
 */
export function preservedDescriptors(asked: number, env: Caller['env']): PreservedDescriptors {
  if (asked < 0 || asked > MOST) throw new DelosError('bad-usage', `--preserve-fds: expected 0 to ${MOST}, found ${asked}`);
  const listen = env['LISTEN_FDS'] || '0';
  const listenFds = /^\d+$/.test(listen) ? Number(listen) : Number.NaN;
  if (!(listenFds <= MOST)) throw new DelosError('bad-usage', `LISTEN_FDS: expected a number of descriptors, found ${JSON.stringify(listen)}`);
  return { preserveFds: asked + listenFds, listenFds };
}
