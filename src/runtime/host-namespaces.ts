import { DelosError } from '../lib/errors.ts';
import { sysctlNamespace } from '../oci/config/checks/sysctl.ts';
import type { Config } from '../oci/config/types.ts';
import { namespaceOf } from '../oci/field.ts';
import { namespaceTypes } from '../oci/namespaces.ts';
import { isOwnNamespace } from '../oci/probe.ts';

/**
 * linux.sysctl sets nothing for the host: what a namespace keeps may not be set where the container joins this process's own.
 * @throws DelosError bad-config
 */
export function checkHostNamespaces(config: Config): void {
  for (const name of Object.keys(config.linux?.sysctl ?? {})) {
    const type = sysctlNamespace(name);
    if (type === undefined) continue;
    const { path } = namespaceOf(config, type) ?? {};
    if (path === undefined || !isOwnNamespace(path, namespaceTypes[type].proc)) continue;
    const field = `/linux/sysctl/${name.replaceAll('/', '~1')}`;
    throw new DelosError('bad-config', `linux.sysctl.${name}: ${path} is the host's ${type} namespace, so it would change the host`, { field });
  }
}
