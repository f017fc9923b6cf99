import { DelosError } from '../../../lib/errors.ts';
import { mismatch } from '../refuse.ts';
import { hasNamespace, type Check } from './check.ts';

/** What is refused by name: to run without it would break what the configuration promises, or the host. */
export const checkUnsupported: Check = (config) => {
  const { linux } = config;
  if (!hasNamespace(config, 'mount')) {
    throw new DelosError('unsupported', 'linux.namespaces: expected a namespace of type mount, without which the mounts would be the host\'s', { field: '/linux/namespaces' });
  }
  const joined = linux?.namespaces?.findIndex(({ type, path }) => type === 'user' && path !== undefined) ?? -1;
  if (joined >= 0) {
    throw new DelosError('unsupported', `linux.namespaces[${joined}].path: a user namespace can be made, not joined`, { field: `/linux/namespaces/${joined}/path` });
  }
  if (linux?.intelRdt !== undefined) {
    throw new DelosError('unsupported', 'linux.intelRdt: Intel RDT is not supported', { field: '/linux/intelRdt' });
  }
  const flag = linux?.personality?.flags?.[0];
  if (flag !== undefined) throw mismatch(['linux', 'personality', 'flags', 0], 'none, since the specification defines none', flag);
};
