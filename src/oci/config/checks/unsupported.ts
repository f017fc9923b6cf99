import { DelosError } from '../../../lib/errors.ts';
import { mismatch } from '../refuse.ts';
import { hasNamespace, type Check } from './check.ts';

/** What is refused by name: to run without it would break what the configuration promises, or the host. */
export const checkUnsupported: Check = (config) => {
  const { linux } = config;
  if (!hasNamespace(config, 'mount')) {
    throw new DelosError('unsupported', 'linux.namespaces: expected a namespace of type mount, without which the mounts would be the host\'s', { field: '/linux/namespaces' });
  }
  if (linux?.intelRdt !== undefined) {
    throw new DelosError('unsupported', 'linux.intelRdt: Intel RDT is not supported', { field: '/linux/intelRdt' });
  }
  const flag = linux?.personality?.flags?.[0];
  if (flag !== undefined) throw mismatch(['linux', 'personality', 'flags', 0], 'none, since the specification defines none', flag);
};
