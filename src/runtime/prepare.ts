import fs from 'node:fs';
import path from 'node:path';
import { listProcesses } from '../cgroup/processes.ts';
import { asSeenBy } from '../cgroup/hierarchy.ts';
import { cgroupDirectories, cgroupPaths, type CgroupDirectory } from '../cgroup/path.ts';
import { DelosError } from '../lib/errors.ts';
import { parseConfig } from '../oci/config/parse.ts';
import type { Config } from '../oci/config/types.ts';
import { checkConfig } from '../oci/config/validate.ts';
import type { Facts } from '../oci/facts.ts';
import type { Request } from '../oci/field.ts';
import { hostFacts, probe } from '../oci/probe.ts';
import { checkId } from './container-id.ts';
import { checkHostNamespaces } from './host-namespaces.ts';
import { withNotifySocket } from './notify-socket.ts';
import type { ContainerRecord } from './record.ts';
import type { CreateRequest } from './requests.ts';

/** All that a plan is made of, and the record that goes with it. Nothing has been done yet. */
export interface Prepared {
  readonly config: Config;
  readonly facts: Facts;
  readonly request: Request;
  readonly record: ContainerRecord;
  readonly warnings: readonly string[];
}

/** The bundle's configuration. @throws DelosError bad-config, io */
export function readConfig(bundle: string): Config {
  const file = path.join(bundle, 'config.json');
  try {
    return parseConfig(fs.readFileSync(file));
  } catch (cause) {
    if (cause instanceof DelosError) throw cause;
    throw new DelosError('io', `${file}: cannot be read: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`, { cause });
  }
}

/** Checks what was asked for and gathers the facts. @throws DelosError bad-id, bad-config, unsupported, io */
export function prepare(wanted: CreateRequest, held: boolean): Prepared {
  checkId(wanted.id);
  const config = withNotifySocket(wanted.config ?? readConfig(wanted.bundle), wanted.notifySocket);
  const { warnings } = checkConfig(config);
  checkTerminal(config, wanted);
  checkHostNamespaces(config);
  const host = wanted.callerCgroup === undefined ? hostFacts() : { ...hostFacts(), cgroup: asSeenBy(hostFacts().cgroup, wanted.callerCgroup) };
  const rootless = host.uid !== 0;
  const cgroup = cgroupDirectories(host.cgroup, config.linux?.cgroupsPath, wanted.id, { systemdCgroup: wanted.systemdCgroup, rootless });
  checkEmpty(cgroup);
  const rootfs = resolveRootfs(config, wanted.bundle);
  checkLabels(config, host);
  return {
    config,
    warnings,
    facts: probe(config, wanted.bundle, cgroup),
    request: requestOf(wanted, held, rootfs, cgroup),
    record: {
      version: 1,
      ociVersion: config.ociVersion,
      id: wanted.id,
      bundle: wanted.bundle,
      rootfs,
      created: new Date().toISOString(),
      owner: host.uid,
      rootless,
      systemdCgroup: wanted.systemdCgroup,
      config,
      cgroup: cgroupPaths(cgroup),
    },
  };
}

function requestOf(wanted: CreateRequest, held: boolean, rootfs: string, cgroup: readonly CgroupDirectory[]): Request {
  return {
    id: wanted.id,
    bundle: wanted.bundle,
    rootfs,
    folder: path.join(wanted.root, wanted.id),
    held,
    preserveFds: wanted.preserveFds,
    listenFds: Math.min(wanted.listenFds ?? 0, wanted.preserveFds),
    noPivot: wanted.noPivot,
    noNewKeyring: wanted.noNewKeyring,
    cgroup,
    ...(wanted.overlay && { overlay: wanted.overlay }),
    ...(wanted.pidFile !== undefined && { pidFile: wanted.pidFile }),
    ...(wanted.consoleSocket !== undefined && { consoleSocket: wanted.consoleSocket }),
  };
}

/** A cgroup with processes in it, or below it, is somebody else's: its limits would change, and deleting the container would kill them. As runc. */
function checkEmpty(directories: readonly CgroupDirectory[]): void {
  for (const { directory } of directories) {
    // Mostly it is not there, and an error takes longer to be made than all the rest.
    if (!fs.existsSync(directory)) continue;
    const found = listProcesses({ '': directory }).length;
    if (found > 0) throw new DelosError('wrong-state', `linux.cgroupsPath: ${directory} is not empty: ${found} process(es) found`, { field: '/linux/cgroupsPath' });
  }
}

function resolveRootfs(config: Config, bundle: string): string {
  const wanted = path.resolve(bundle, config.root?.path ?? '');
  try {
    const rootfs = fs.realpathSync(wanted);
    if (fs.statSync(rootfs).isDirectory()) return rootfs;
  } catch (cause) {
    throw new DelosError('bad-config', `root.path: expected a folder, ${wanted} cannot be opened: ${(cause as NodeJS.ErrnoException).code}`, { cause, field: '/root/path' });
  }
  throw new DelosError('bad-config', `root.path: expected a folder, ${wanted} is none`, { field: '/root/path' });
}

function checkTerminal(config: Config, { consoleSocket }: CreateRequest): void {
  if (!config.process?.terminal && consoleSocket !== undefined) throw new DelosError('bad-usage', 'cannot use console socket if runc will not detach or allocate tty');
  if (consoleSocket !== undefined && Buffer.byteLength(consoleSocket) > 107) throw new DelosError('bad-usage', `--console-socket: expected a path of at most 107 bytes, ${consoleSocket} is longer`);
}

/** A label for a security module that is not there must not be dropped in silence: config.md "process". */
export function checkLabels({ process, linux }: Config, host: { apparmor: boolean; selinux: boolean }): void {
  if (process?.apparmorProfile && process.apparmorProfile !== 'unconfined' && !host.apparmor) throw new DelosError('unsupported', `process.apparmorProfile: this kernel has no AppArmor, ${process.apparmorProfile} cannot be applied`, { field: '/process/apparmorProfile' });
  if (process?.selinuxLabel && !host.selinux) throw new DelosError('unsupported', 'process.selinuxLabel: this kernel has no SELinux', { field: '/process/selinuxLabel' });
  if (linux?.mountLabel && !host.selinux) throw new DelosError('unsupported', 'linux.mountLabel: this kernel has no SELinux', { field: '/linux/mountLabel' });
}
