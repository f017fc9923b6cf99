import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { CgroupPaths } from '../cgroup/path.ts';
import { cgroupDirectories, cgroupPaths } from '../cgroup/path.ts';
import { DelosError } from '../lib/errors.ts';
import { hostFacts } from '../oci/probe.ts';
import { createContainer } from '../runtime/create.ts';
import { deleteContainer } from '../runtime/delete.ts';
import { lockContainer } from '../runtime/lock.ts';
import { readConfig } from '../runtime/prepare.ts';
import type { CreateRequest } from '../runtime/requests.ts';
import { startContainer } from '../runtime/start.ts';
import { conditionOf } from '../runtime/status.ts';
import { listenAt } from '../sys/descriptor-socket.ts';
import { readContainer, writeContainer } from './catalogue.ts';
import { connect, disconnect } from './connection.ts';
import type { Container } from './container.ts';
import { Monitor, type MonitorOptions } from './monitor.ts';
import { containersFolder, fileOf, type Places } from './places.ts';
import { runtimeRecord } from './standing.ts';

export interface StartOptions {
  /** Give the container the caller's own stdin, stdout and stderr. Not for one with a terminal. */
  readonly direct: boolean;
  /** The caller goes away at once or when it likes; else it waits for the monitor and cleans up after it. */
  readonly detached: boolean;
  /** The command that cleans up after a container whose starter has gone. */
  readonly cleanUp: readonly string[];
  readonly pidFile?: string;
}

/** A container that is built and waits. */
export interface Waiting {
  readonly monitor: Monitor;
  /** Lets the program begin. @throws DelosError hook-failed */
  go(): Promise<void>;
}

/** What src/runtime is asked for to build this container. */
export function requestOf(places: Places, { id, root }: Container): CreateRequest {
  return {
    root: places.run, systemdCgroup: false, id, bundle: fileOf(places, id), preserveFds: 0, noPivot: false, noNewKeyring: false,
    ...(root.kind === 'overlay' && { overlay: { lowers: root.lowers, ...(root.kept && { layer: fileOf(places, id, 'layer') }) } }),
  };
}

/**
 * Builds a container's processes up to the moment before its program, under a monitor.
 * @throws DelosError wrong-state when it runs already, and all that createContainer() throws; nothing is left then
 */
export async function buildContainer(places: Places, id: string, options: StartOptions): Promise<Waiting> {
  using _ = await lockContainer(containersFolder(places), id);
  const container = readContainer(places, id);
  if (container === undefined) throw new DelosError('not-found', `no such container: ${id}`);
  await clearRemains(places, container);
  const monitor = await build(places, container, options);
  await connectOrUndo(places, container);
  return {
    monitor,
    go: async () => {
      // Before the program: whoever finds it running finds the time too.
      writeContainer(places, { ...container, starts: container.starts + 1, startedAt: new Date().toISOString(), direct: options.direct });
      await startContainer(places.run, id);
    },
  };
}

/** @throws DelosError what connect() throws; nothing of the container's processes is left then */
async function connectOrUndo(places: Places, container: Container): Promise<void> {
  try {
    const record = runtimeRecord(places, container.id);
    await connect(places, container, record === undefined ? 0 : conditionOf(places.run, record).init?.pid ?? 0);
  } catch (error) {
    await deleteContainer(places.run, container.id, { force: true });
    throw error;
  }
}

/** What an earlier run has left. @throws DelosError wrong-state */
async function clearRemains(places: Places, { id, name }: Container): Promise<void> {
  const record = runtimeRecord(places, id);
  if (record !== undefined) {
    const { status } = conditionOf(places.run, record);
    if (status === 'running' || status === 'paused') throw new DelosError('wrong-state', `container ${name} is already running`);
  }
  await deleteContainer(places.run, id, { force: true });
  await disconnect(places, id);
  fs.rmSync(fileOf(places, id, 'exit'), { force: true });
}

async function build(places: Places, container: Container, options: StartOptions): Promise<Monitor> {
  const { id, tty } = container;
  const monitored: MonitorOptions = {
    folder: fileOf(places, id), output: tty ? 'terminal' : options.direct ? 'direct' : 'pipes', openStdin: container.openStdin,
    detached: options.detached, initFile: path.join(places.run, id, 'init'), oomFile: oomFile(cgroupOf(places, id)), cleanUp: options.cleanUp,
  };
  const request = { ...requestOf(places, container), ...(options.pidFile !== undefined && { pidFile: options.pidFile }) };
  if (!tty) {
    const monitor = new Monitor(monitored);
    await createContainer(request, monitor);
    return monitor;
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-'));
  const consoleSocket = path.join(folder, 'console');
  const consoleListener = listenAt(consoleSocket);
  try {
    const monitor = new Monitor({ ...monitored, consoleListener });
    await createContainer({ ...request, consoleSocket }, monitor);
    return monitor;
  } finally {
    fs.closeSync(consoleListener);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Where the container's cgroup is going to be. */
function cgroupOf(places: Places, id: string): CgroupPaths {
  const { linux } = readConfig(fileOf(places, id));
  const { cgroup, uid } = hostFacts();
  return cgroupPaths(cgroupDirectories(cgroup, linux?.cgroupsPath, id, { rootless: uid !== 0 }));
}

/** cgroups(7), cgroup-v2 "memory.events": both have a line `oom_kill`. */
function oomFile(cgroup: CgroupPaths): string {
  const legacy = cgroup['memory'];
  if (legacy !== undefined) return `${legacy}/memory.oom_control`;
  return cgroup[''] === undefined ? '' : `${cgroup['']}/memory.events`;
}
