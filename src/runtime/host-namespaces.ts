import fs from 'node:fs';
import { DelosError } from '../lib/errors.ts';
import { sysctlNamespace } from '../oci/config/checks/sysctl.ts';
import type { Config } from '../oci/config/types.ts';
import { namespaceOf } from '../oci/field.ts';
import { namespaceTypes } from '../oci/namespaces.ts';

/**
 * linux.sysctl sets nothing for the host: what a namespace keeps may not be set where the container joins this process's own.
 * @throws DelosError bad-config
 */
export function checkHostNamespaces(config: Config): void {
  for (const name of Object.keys(config.linux?.sysctl ?? {})) {
    const type = sysctlNamespace(name);
    if (type === undefined) continue;
    const { path } = namespaceOf(config, type) ?? {};
    if (path === undefined || !isOwn(path, namespaceTypes[type].proc)) continue;
    const field = `/linux/sysctl/${name.replaceAll('/', '~1')}`;
    throw new DelosError('bad-config', `linux.sysctl.${name}: ${path} is the host's ${type} namespace, so it would change the host`, { field });
  }
}

/** A namespace is known by the device and inode of its file, namespaces(7). A path that cannot be looked at is refused when it is opened. */
function isOwn(path: string, proc: string): boolean {
  try {
    const [found, own] = [fs.statSync(path), fs.statSync(`/proc/self/ns/${proc}`)];
    return found.dev === own.dev && found.ino === own.ino;
  } catch {
    return false;
  }
}
