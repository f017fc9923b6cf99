import fs from 'node:fs';
import path from 'node:path';
import { DelosError } from '../lib/errors.ts';
import { checkProcess } from '../oci/config/validate.ts';
import type { Config, NamespaceType } from '../oci/config/types.ts';
import { planExec } from '../oci/exec-plan.ts';
import type { Request } from '../oci/field.ts';
import { cgroupDirectories } from '../cgroup/path.ts';
import { namespaceTypes } from '../oci/namespaces.ts';
import { hostFacts, probe } from '../oci/probe.ts';
import { encode } from '../plan/encode.ts';
import { cgroupForExec } from './exec-cgroup.ts';
import { spawned, type Place } from './place.ts';
import { checkLabels } from './prepare.ts';
import type { ContainerRecord } from './record.ts';
import type { ExecRequest } from './requests.ts';
import { conditionOf } from './status.ts';
import { readRecord } from './store.ts';
import { runInTerminal } from './terminal.ts';

/**
 * One more process in a running container.
 * @returns its exit code, or 0 when it is detached
 * @throws DelosError
 */
export async function execContainer(wanted: ExecRequest, place: Place = spawned): Promise<number> {
  const record = readRecord(wanted.root, wanted.id);
  const container = joinable(wanted, record);
  const { pid } = container;
  checkProcess(wanted.process);
  if (wanted.process.terminal && wanted.consoleSocket === undefined) {
    place.needOwnProcess?.();
    if (wanted.detach) throw new DelosError('bad-usage', 'cannot allocate tty if the process is detached without a console socket');
    return runInTerminal((consoleSocket) => execContainer({ ...wanted, consoleSocket }));
  }
  if (wanted.preserveFds > 0) place.needOwnProcess?.();
  const config: Config = { ...record.config, process: wanted.process };
  checkLabels({ ...config, linux: {} }, hostFacts());
  const request = requestOf(wanted, record, config, pid, container);
  const facts = probe({ process: wanted.process, ociVersion: config.ociVersion, root: { path: record.rootfs } }, record.bundle, []);
  const plan = planExec(config, facts, request, { pid, namespaces: differing(pid), wait: !wanted.detach }, place.refused);
  return place.run(encode(plan), wanted.preserveFds);
}

/** The container as a process can go into it. @throws DelosError wrong-state */
function joinable({ root, ignorePaused }: ExecRequest, record: ContainerRecord): NonNullable<Request['container']> {
  const { status, init } = conditionOf(root, record);
  if (status === 'paused' && !ignorePaused) throw new DelosError('wrong-state', 'cannot exec in a paused container (use --ignore-paused to override)');
  if (status === 'creating') throw new DelosError('wrong-state', 'cannot exec in a container in the creating state');
  if (!init || status === 'stopped') throw new DelosError('wrong-state', 'cannot exec in a stopped container');
  return { status, pid: init.pid };
}

/** The namespaces in which the container differs from this process; one that is shared cannot and need not be joined. */
function differing(pid: number): NamespaceType[] {
  return (Object.keys(namespaceTypes) as NamespaceType[]).filter((type) => {
    const { proc } = namespaceTypes[type];
    return readLink(`/proc/${pid}/ns/${proc}`) !== readLink(`/proc/self/ns/${proc}`);
  });
}

function readLink(file: string): string | undefined {
  try {
    return fs.readlinkSync(file);
  } catch {
    return undefined;
  }
}

function requestOf(wanted: ExecRequest, record: ContainerRecord, config: Config, pid: number, container: NonNullable<Request['container']>): Request {
  const directories = cgroupDirectories(hostFacts().cgroup, config.linux?.cgroupsPath, wanted.id, {
    systemdCgroup: record.systemdCgroup, rootless: record.rootless,
  });
  return {
    id: wanted.id,
    bundle: record.bundle,
    rootfs: record.rootfs,
    folder: path.join(wanted.root, wanted.id),
    held: false,
    preserveFds: wanted.preserveFds,
    listenFds: Math.min(wanted.listenFds ?? 0, wanted.preserveFds),
    noPivot: false,
    noNewKeyring: false,
    container,
    cgroup: directories.map((directory) => cgroupForExec(directory, record, pid, wanted.cgroup)),
    ...(wanted.pidFile !== undefined && { pidFile: wanted.pidFile }),
    ...(wanted.consoleSocket !== undefined && { consoleSocket: wanted.consoleSocket }),
  };
}
