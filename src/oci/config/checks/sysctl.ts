import { refused } from '../refuse.ts';
import type { NamespaceType } from '../types.ts';
import { hasNamespace, lacksNamespace, type Check } from './check.ts';

/** What ipc/ipc_sysctl.c keeps for each IPC namespace; fs.mqueue.* of ipc/mq_sysctl.c besides. */
const IPC = new Set([
  'kernel.msgmax', 'kernel.msgmnb', 'kernel.msgmni', 'kernel.sem', 'kernel.shmall', 'kernel.shmmax', 'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/**
 * The path of a sysctl below /proc/sys, step by step. Either separator is taken, and the first one that comes decides, as in
 * sysctl(8): in `net/ipv4/conf/eth0.1/mtu` the dot is a dot, in `net.ipv4.conf.eth0/1.mtu` the slash is.
 * Undefined when a step is empty, `.` or `..`, which would lead elsewhere.
 */
export function sysctlSteps(name: string): readonly string[] | undefined {
  const slashed = name.includes('/') && (!name.includes('.') || name.indexOf('/') < name.indexOf('.'));
  const steps = slashed ? name.split('/') : name.split('.').map((step) => step.replaceAll('/', '.'));
  return steps.some((step) => step === '' || step === '.' || step === '..') ? undefined : steps;
}

/** config-linux.md "Sysctl": only what the kernel keeps for a namespace, and only in a namespace of the container's own. */
export const checkSysctl: Check = (config) => {
  for (const name of Object.keys(config.linux?.sysctl ?? {})) {
    const place = ['linux', 'sysctl', name];
    const steps = sysctlSteps(name);
    if (steps === undefined) throw refused(place, 'expected the name of a sysctl, as in "net.ipv4.ip_forward"');
    const dotted = steps.join('.');
    if (dotted === 'kernel.hostname') throw refused(place, 'is what the property hostname sets');
    const type = sysctlNamespace(name);
    if (type === undefined) throw refused(place, 'belongs to no namespace, so it would change the host');
    if (!hasNamespace(config, type)) throw lacksNamespace(place, type);
  }
};

/** The type of the namespace that keeps a sysctl; undefined for one of the whole machine. */
export function sysctlNamespace(name: string): NamespaceType | undefined {
  const steps = sysctlSteps(name) ?? [];
  const dotted = steps.join('.');
  if (IPC.has(dotted) || (steps[0] === 'fs' && steps[1] === 'mqueue' && steps.length > 2)) return 'ipc';
  if (steps[0] === 'net' && steps.length > 1) return 'network';
  return dotted === 'kernel.domainname' ? 'uts' : undefined;
}
