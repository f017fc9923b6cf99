import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { CgroupPaths } from '../cgroup/path.ts';
import { cgroupDirectories, cgroupPaths } from '../cgroup/path.ts';
import { DelosError } from '../lib/errors.ts';
import type { Config } from '../oci/config/types.ts';
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
import { connect, disconnect, reservePlaces } from './connection.ts';
import type { Container } from './container.ts';
import { containerEvent } from './events.ts';
import { unknownHealth, writeHealth } from './health.ts';
import { Monitor, type MonitorOptions } from './monitor.ts';
import { containersFolder, fileOf, type Places } from './places.ts';
import { endSupervisor } from './restart-stop.ts';
import { runtimeRecord } from './standing.ts';

export interface StartOptions {
  /** Give the container the caller's own stdin, stdout and stderr. Not for one with a terminal. */
  readonly direct: boolean;
  /** The caller goes away at once or when it likes; else it waits for the monitor and cleans up after it. */
  readonly detached: boolean;
  /** This program and its global flags, to be started again: to clean up after a container whose starter has gone, and to serve names. */
  readonly command: readonly string[];
  readonly pidFile?: string;
  /** It is the supervisor that starts it again, not somebody by hand. */
  readonly again?: { readonly delayMs: number };
}

/** A container that is built and waits. */
export interface Waiting {
  readonly monitor: Monitor;
  /** Lets the program begin. @throws DelosError hook-failed; wrong-state when it was stopped meanwhile */
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
  checkNotStopped(container, options);
  await clearRemains(places, container);
  // From now on, who stops it stops this start.
  if (container.stoppedByHand) writeContainer(places, { ...container, stoppedByHand: false });
  const monitor = await buildConnected(places, container, options);
  return { monitor, go: () => go(places, id, monitor, options) };
}

async function go(places: Places, id: string, monitor: Monitor, options: StartOptions): Promise<void> {
  // Before the program: whoever finds it running finds the time too.
  const container = await recordStart(places, id, monitor, options);
  // Without the lock, as hooks may run commands on the container. Who stops it now removes it from under us.
  await startContainer(places.run, id);
  // The time is that of its record: a short program has ended by now.
  containerEvent(places, container, 'start', {}, Date.parse(container.startedAt ?? ''));
}

async function recordStart(places: Places, id: string, monitor: Monitor, options: StartOptions): Promise<Container> {
  using _ = await lockContainer(containersFolder(places), id);
  const container = readContainer(places, id);
  if (container === undefined) throw new DelosError('not-found', `no such container: ${id}`);
  if (container.stoppedByHand) await undo(places, id);
  checkNotStopped(container, { again: { delayMs: 0 } });
  fs.rmSync(fileOf(places, id, 'exit'), { force: true });
  if (container.health !== undefined) writeHealth(places, id, unknownHealth);
  const after = started(container, monitor, options);
  writeContainer(places, after);
  return after;
}

/** The record of a container that is started now. */
function started(before: Container, { supervisor }: Monitor, { direct, again }: StartOptions): Container {
  const { startError: _, supervisor: __, ...container } = before;
  return {
    ...container, starts: container.starts + 1, startedAt: new Date().toISOString(), direct,
    restarts: again === undefined ? 0 : (container.restarts ?? 0) + 1, backoffMs: again?.delayMs ?? 0, ...(supervisor !== undefined && { supervisor }),
  };
}

/** Who starts it by hand wants it to run; who starts it again must not undo that it was stopped. */
function checkNotStopped({ name, stoppedByHand }: Container, { again }: Pick<StartOptions, 'again'>): void {
  if (again !== undefined && stoppedByHand) throw new DelosError('wrong-state', `container ${name} was stopped while it was being started`);
}

/**
 * The container's processes and its networks. What of these needs no process is made while the others are.
 * @throws DelosError what createContainer(), reservePlaces() and connect() throw; nothing is left then
 */
async function buildConnected(places: Places, container: Container, options: StartOptions): Promise<Monitor> {
  const config = readConfig(fileOf(places, container.id));
  const devices = Object.entries(config.linux?.netDevices ?? {}).map(([host, { name = host }]) => name);
  const building = build(places, container, config, options);
  const [built, reserved] = await Promise.allSettled([building, reservePlaces(places, container, devices, options.command)]);
  try {
    if (built.status === 'rejected') throw built.reason;
    if (reserved.status === 'rejected') throw reserved.reason;
    const record = runtimeRecord(places, container.id);
    await connect(places, container, record === undefined ? 0 : conditionOf(places.run, record).init?.pid ?? 0, reserved.value);
    return built.value;
  } catch (error) {
    await undo(places, container.id);
    throw error;
  }
}

/** Takes back what was built. */
async function undo(places: Places, id: string): Promise<void> {
  await deleteContainer(places.run, id, { force: true });
  await disconnect(places, id);
}

/** What an earlier run has left, and who waits to start it again. @throws DelosError wrong-state */
async function clearRemains(places: Places, container: Container): Promise<void> {
  const { id, name } = container;
  const record = runtimeRecord(places, id);
  if (record !== undefined) {
    const { status } = conditionOf(places.run, record);
    if (status === 'running' || status === 'paused') throw new DelosError('wrong-state', `container ${name} is already running`);
  }
  await endSupervisor(container);
  await undo(places, id);
}

async function build(places: Places, container: Container, config: Config, options: StartOptions): Promise<Monitor> {
  const { id, tty } = container;
  const monitored: MonitorOptions = {
    folder: fileOf(places, id), output: tty ? 'terminal' : options.direct ? 'direct' : 'pipes', openStdin: container.openStdin,
    detached: options.detached, initFile: path.join(places.run, id, 'init'), oomFile: oomFile(cgroupOf(config, id)), cleanUp: [...options.command, 'settle', id],
    ...(container.health !== undefined && { health: container.health }),
  };
  const request = { ...requestOf(places, container), config, ...(options.pidFile !== undefined && { pidFile: options.pidFile }) };
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
function cgroupOf({ linux }: Config, id: string): CgroupPaths {
  const { cgroup, uid } = hostFacts();
  return cgroupPaths(cgroupDirectories(cgroup, linux?.cgroupsPath, id, { rootless: uid !== 0 }));
}

/** cgroups(7), cgroup-v2 "memory.events": both have a line `oom_kill`. */
function oomFile(cgroup: CgroupPaths): string {
  const legacy = cgroup['memory'];
  if (legacy !== undefined) return `${legacy}/memory.oom_control`;
  return cgroup[''] === undefined ? '' : `${cgroup['']}/memory.events`;
}
