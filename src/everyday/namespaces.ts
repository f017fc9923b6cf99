import { DelosError } from '../lib/errors.ts';
import type { Namespace, NamespaceType } from '../oci/config/types.ts';
import type { ContainerFact, HostFacts } from './facts.ts';
import type { RunOptions } from './flags.ts';
import { isBridged } from './network.ts';
import { badFlag, badFlags } from './refusal.ts';

/** Where one kind of isolation comes from. */
export type NamespaceMode =
  | { readonly kind: 'private' }
  | { readonly kind: 'host' }
  | { readonly kind: 'joined'; readonly container: ContainerFact };

export interface NamespaceModes {
  readonly network: NamespaceMode;
  readonly pid: NamespaceMode;
  readonly ipc: NamespaceMode;
  readonly uts: NamespaceMode;
  readonly cgroup: NamespaceMode;
}

/** `none`: a private IPC namespace, but no /dev/shm. */
const ipcPrivate: readonly string[] = ['private', 'shareable', 'none'];

/** Reads `--network`, `--pid`, `--ipc`, `--uts` and `--cgroupns`. Throws `bad-usage`, `not-found`. */
export function namespaceModes(flags: RunOptions, host: HostFacts): NamespaceModes {
  const modes = {
    network: networkMode(flags.network, host),
    pid: mode('pid', flags.pid, ['private'], host),
    ipc: mode('ipc', flags.ipc, ipcPrivate, host),
    uts: mode('uts', flags.uts, ['private'], host, false),
    cgroup: mode('cgroupns', flags.cgroupns, ['private'], host, false),
  };
  if (flags.uts === 'host') {
    if (flags.hostname !== undefined) throw badFlags('--hostname and --uts host');
    if (flags.domainname !== undefined) throw badFlags('--domainname and --uts host');
  }
  if (modes.network.kind === 'joined' && flags.hostname !== undefined) throw badFlags('--hostname and --network container:...');
  return modes;
}

function networkMode(text: string, host: HostFacts): NamespaceMode {
  // In a network with a bridge a namespace of its own, too, which is connected when it is there.
  return isBridged(text) ? { kind: 'private' } : mode('network', text, ['none'], host);
}

function mode(flag: string, text: string | undefined, privates: readonly string[], host: HostFacts, joinable = true): NamespaceMode {
  if (text === undefined || text === '' || privates.includes(text)) return { kind: 'private' };
  if (text === 'host') return { kind: 'host' };
  const word = joinable && text.startsWith('container:') ? text.slice('container:'.length) : undefined;
  if (word === undefined || word === '') {
    throw badFlag(flag, text, `expected ${[...privates, 'host', ...(joinable ? ['container:<name|id>'] : [])].join(', ')}`);
  }
  const container = Object.hasOwn(host.containers, word) ? host.containers[word] : undefined;
  if (container === undefined) throw new DelosError('not-found', `--${flag} ${text}: there is no such running container`);
  return { kind: 'joined', container };
}

const procNames: Readonly<Record<keyof NamespaceModes, string>> = { network: 'net', pid: 'pid', ipc: 'ipc', uts: 'uts', cgroup: 'cgroup' };

/** `linux.namespaces`: mounts are always the container's own, the others as the modes say, a user namespace if ids are mapped. */
export function namespaceList(modes: NamespaceModes, withUser: boolean): Namespace[] {
  const listed: Namespace[] = [{ type: 'mount' }];
  for (const type of ['network', 'uts', 'pid', 'ipc', 'cgroup'] as const satisfies readonly NamespaceType[]) {
    const chosen = modes[type];
    if (chosen.kind === 'private') listed.push({ type });
    if (chosen.kind === 'joined') listed.push({ type, path: `/proc/${chosen.container.pid}/ns/${procNames[type]}` });
  }
  if (withUser) listed.push({ type: 'user' });
  return listed;
}

/** Checks `--sysctl` against the namespaces, and adds docker's two defaults of a private network. Throws `bad-usage`. */
export function namespacedSysctls(asked: Readonly<Record<string, string>>, modes: NamespaceModes, withUser: boolean): Record<string, string> {
  for (const name of Object.keys(asked)) {
    const dotted = name.replaceAll('/', '.');
    const owner = dotted.startsWith('net.') ? 'network' : isIpcSysctl(dotted) ? 'ipc' : dotted === 'kernel.domainname' ? 'uts' : undefined;
    if (owner === undefined) throw badFlag('sysctl', name, 'it belongs to no namespace, so it would change the host');
    if (modes[owner].kind !== 'private') throw badFlag('sysctl', name, `the ${owner} namespace is not the container's own`);
  }
  if (modes.network.kind !== 'private') return { ...asked };
  return {
    'net.ipv4.ip_unprivileged_port_start': '0',
    // The range must be mapped, and a user namespace of one id has no such range.
    ...(withUser ? {} : { 'net.ipv4.ping_group_range': '0 2147483647' }),
    ...asked,
  };
}

const ipcSysctls: ReadonlySet<string> = new Set([
  'kernel.msgmax', 'kernel.msgmnb', 'kernel.msgmni', 'kernel.sem', 'kernel.shmall', 'kernel.shmmax', 'kernel.shmmni', 'kernel.shm_rmid_forced',
]);

function isIpcSysctl(name: string): boolean {
  return ipcSysctls.has(name) || name.startsWith('fs.mqueue.');
}
