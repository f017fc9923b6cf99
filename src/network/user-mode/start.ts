import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import type net from 'node:net';
import path from 'node:path';
import { DelosError } from '../../lib/errors.ts';
import { reservePorts } from '../host-port.ts';
import type { Lease } from '../lease.ts';
import type { PublishedPort } from '../published-port.ts';
import { pasta } from './pasta.ts';
import { requireUserMode, type UserModeProgram } from './program.ts';
import { endUserMode, keepRecord } from './record.ts';
import { slirp4netns } from './slirp4netns.ts';

/** A container that is to get a network from a program of its user. */
export interface UserModeRequest {
  /** Its id, for messages. */
  readonly container: string;
  readonly program: UserModeProgram;
  /** The container's folder: the program is recorded there, and leaves `user-mode.log`. */
  readonly folder: string;
  /** Its first process, which waits for its start. */
  readonly pid: number;
  readonly names: readonly string[];
  readonly ports: readonly PublishedPort[];
  /** A connection that the other side closes when the container has ended, by dying too: so the program ends even if nobody ends it. */
  readonly whileOpen: net.Socket;
}

/** How one program is handled. */
export interface UserMode {
  /** What the program is to be run by, and with what words. */
  command(program: string, pid: number, ports: readonly PublishedPort[]): readonly string[];
  /** Descriptors from 0 on: {@link UserModeRequest.whileOpen}, the log, and others. */
  descriptors(whileOpen: net.Socket, log: number): (net.Socket | number | 'ignore' | 'pipe')[];
  /** Resolves when the device is there and configured; never if that does not come to pass. @param folder where the program was started */
  ready(child: ChildProcess, folder: string): Promise<void>;
  /** Publishes what the command line could not say. @throws DelosError */
  publish(folder: string, ports: readonly PublishedPort[]): Promise<void>;
  /** Its device in the container, and the address there if it is always the same. */
  readonly interface: string;
  readonly four?: string;
  /** Where it answers questions for names, if it does. */
  readonly resolver?: string;
  /** The container reaches the host at the host's own addresses; else those are its own. */
  readonly reachesHost: boolean;
  /** @throws DelosError unsupported */
  checkPort(port: PublishedPort): void;
}

export const userModes: Readonly<Record<UserModeProgram, UserMode>> = { pasta, slirp4netns };

const readyMs = 10_000;

/**
 * Starts the program and waits until the container's network is there. When it fails nothing is left of it.
 * @throws DelosError unsupported, network-in-use when a port is taken
 */
export async function startUserMode(request: UserModeRequest): Promise<void> {
  const { program, folder, container, names } = request;
  const mode = userModes[program];
  const file = requireUserMode(program);
  for (const port of request.ports) mode.checkPort(port);
  const ports = reservePorts(request.ports, []);
  const log = path.join(folder, 'user-mode.log');
  const child = launch(request, mode.command(file, request.pid, ports), mode, log);
  try {
    const lease: Lease = { network: program, container, interface: mode.interface, hostInterface: '', ...(mode.four !== undefined && { four: mode.four }), mac: '', names, ports };
    if (child.pid !== undefined) keepRecord(folder, child.pid, lease);
    await untilReady(child, mode.ready(child, folder), () => new DelosError('unsupported', `--network ${program}: ${lastWords(log)}`));
    await mode.publish(folder, ports);
  } catch (error) {
    await endUserMode(folder);
    throw error;
  } finally {
    for (const stream of child.stdio) stream?.destroy();
    child.unref();
  }
}

function launch({ folder, whileOpen }: UserModeRequest, [program = '', ...words]: readonly string[], mode: UserMode, log: string): ChildProcess {
  const output = fs.openSync(log, 'w', 0o600);
  try {
    // A group of its own, so that all its processes are ended together and no key of the terminal reaches them.
    return spawn(program, words, { cwd: folder, detached: true, stdio: mode.descriptors(whileOpen, output) });
  } finally {
    fs.closeSync(output);
  }
}

async function untilReady(child: ChildProcess, ready: Promise<void>, failure: () => DelosError): Promise<void> {
  const given = Promise.withResolvers<never>();
  const fail = (): void => given.reject(failure());
  const limit = setTimeout(fail, readyMs);
  child.once('error', fail).once('exit', fail);
  try {
    await Promise.race([ready, given.promise]);
  } finally {
    clearTimeout(limit);
    child.off('error', fail).off('exit', fail);
  }
}

/** The last thing that the program has said. pasta also says how its log could not be written. */
function lastWords(log: string): string {
  const lines = fs.readFileSync(log, 'utf8').split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('Failed to send'));
  return lines.at(-1) ?? `it did not begin within ${readyMs / 1000} seconds`;
}
