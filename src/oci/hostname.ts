import { call } from '../plan/step.ts';
import type { Field } from './field.ts';

/** hostname, config.md. The UTS namespace is the container's own: the configuration was refused otherwise. */
export const hostname: Field = {
  at: ['/hostname'],
  support: 'full',
  init: ({ config: { hostname } }) =>
    hostname === undefined ? [] : [call('sethostname', [hostname, Buffer.byteLength(hostname)], '/hostname')],
};

/** domainname, config.md. */
export const domainname: Field = {
  at: ['/domainname'],
  support: 'full',
  init: ({ config: { domainname } }) =>
    domainname === undefined ? [] : [call('setdomainname', [domainname, Buffer.byteLength(domainname)], '/domainname')],
};
