import { KEYCTL_JOIN_SESSION_KEYRING, PR_SET_DUMPABLE } from '../abi/process.ts';
import { call } from '../plan/step.ts';
import type { Field } from './field.ts';

/** A session of its own; and until the program runs, init's memory and descriptors are nobody's business (CVE-2016-9962). */
export const session: Field = {
  at: [],
  support: 'full',
  init: () => [call('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0], 'nothing of init can be reached through /proc'), call('setsid', [], 'a session of its own')],
};

/**
 * While init waits for its start, whoever made it may look for its namespaces in /proc, as slirp4netns and pasta do for its network. Root may
 * anyway; an ordinary user may with this alone. By now init has the container's root and privileges, and no descriptor of the host.
 */
export const reachable: Field = {
  at: [],
  support: 'full',
  init: ({ request, facts }) => (request.held && facts.uid !== 0 ? [call('prctl', [PR_SET_DUMPABLE, 1, 0, 0, 0], 'its user can connect its network')] : []),
};

/** It is started: the same as before for the rest of its way to the program. */
export const unreachable: Field = {
  at: [],
  support: 'full',
  init: ({ request, facts }) => (request.held && facts.uid !== 0 ? [call('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0], 'nothing of init can be reached through /proc')] : []),
};

/** A session keyring of its own, as runc gives; a kernel without keys, or a quota that is used up, is no failure. keyctl(2) */
export const keyring: Field = {
  at: [],
  support: 'full',
  init: ({ request }) =>
    request.noNewKeyring
      ? []
      : [
          call('keyctl', [KEYCTL_JOIN_SESSION_KEYRING, `_ses.${request.id}`, 0, 0], 'a session keyring of its own', {
            accept: { ENOSYS: 'next', EDQUOT: 'next', EPERM: 'next', EACCES: 'next' },
          }),
        ],
};
