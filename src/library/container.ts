import type { Readable, Writable } from 'node:stream';
import { readCgroupStats } from '../cgroup/stats-read.ts';
import type { CgroupStats } from '../cgroup/stats.ts';
import { parseSignal } from '../vocabulary/signal.ts';
import { DelosError } from '../lib/errors.ts';
import type { Config, Resources } from '../oci/config/types.ts';
import type { Lease } from '../network/lease.ts';
import type { PublishedPort } from '../network/published-port.ts';
import type { EncodedPlan } from '../plan/encode.ts';
import { deleteContainer } from '../runtime/delete.ts';
import { killContainer } from '../runtime/kill.ts';
import { checkReport } from '../runtime/loaded-plan.ts';
import { pauseContainer, resumeContainer } from '../runtime/pause.ts';
import type { ContainerRecord } from '../runtime/record.ts';
import { startContainer } from '../runtime/start.ts';
import { containerState, type ContainerState } from '../runtime/state.ts';
import { readRecord } from '../runtime/store.ts';
import { updateContainer } from '../runtime/update.ts';
import { execIn } from './exec.ts';
import { signalOf } from './execution.ts';
import { bytesOf } from './flags.ts';
import type { Connection } from './connection.ts';
import type { OomCount } from './oom.ts';
import type { ContainerOptions, ExecOptions, ExitResult, RunResult, SignalOptions } from './options.ts';

/** Node streams of what the container has as 0, 1 and 2. */
export interface ContainerStreams {
  readonly stdin: Writable;
  /** A container whose output nobody reads stops when a pipe is full (64 KiB). */
  readonly stdout: Readable;
  readonly stderr: Readable;
}

/** What can be changed while a container runs. */
export type Limits = Pick<ContainerOptions, 'memory' | 'pids'> & {
  /** Processors' worth of time. */
  readonly cpus?: number;
};

/** How a container is connected to a network with a bridge. */
export interface ConnectedNetwork {
  readonly name: string;
  /** What its device is called inside, `eth0`. */
  readonly interface: string;
  readonly ip?: string;
  readonly ip6?: string;
  readonly mac: string;
  /** With the ports of this machine that were drawn. */
  readonly ports: readonly PublishedPort[];
}

/** A container's state as `delos-oci state` has it, the configuration it was made from, and its networks with a bridge. */
export interface Inspection extends ContainerState {
  readonly config: Config;
  readonly networks: readonly ConnectedNetwork[];
}

/** What is at work behind a container. */
export interface Making {
  readonly root: string;
  readonly record: ContainerRecord;
  readonly pid: number;
  readonly streams: ContainerStreams;
  readonly plan: EncodedPlan;
  readonly oom: OomCount;
  readonly connection: Connection;
  /** The plan's bytes when the container has ended. */
  readonly ended: Promise<Uint8Array>;
}

/** Microseconds, the kernel's default. */
const CPU_PERIOD_US = 100_000;

/**
 * A container that create() has made. Its program waits for start(). It stays, as a stopped one in the end, until remove() or
 * `await using` removes it; when this process ends before that, it goes on, and `delos-oci delete --force ID` removes it.
 */
export class Container implements AsyncDisposable {
  readonly id: string;
  /** Of its init, on this machine. */
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly #making: Making;
  readonly #exit: Promise<ExitResult>;

  /** By create() alone. */
  constructor(making: Making) {
    this.id = making.record.id;
    this.pid = making.pid;
    ({ stdin: this.stdin, stdout: this.stdout, stderr: this.stderr } = making.streams);
    this.#making = making;
    this.#exit = making.ended.then((report) => {
      const exitCode = checkReport(report);
      return { exitCode, ...signalOf(exitCode), oomKilled: making.oom.killed(making.plan, report) };
    });
    this.#exit.catch(() => undefined);
  }

  /** Lets the program begin. @throws DelosError wrong-state when it has begun already, hook-failed */
  async start(): Promise<void> {
    await startContainer(this.#making.root, this.id);
  }

  /**
   * The end of the program. An aborted signal ends the waiting, not the container.
   * @throws DelosError kernel-refused when the program could not be executed; interrupted
   */
  async wait({ signal }: SignalOptions = {}): Promise<ExitResult> {
    if (signal === undefined) return this.#exit;
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([this.#exit, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /**
   * Sends a signal, SIGKILL unless another is named, to init; SIGKILL ends the others with it.
   * @param signal a name as `SIGTERM` or `term`, or a number
   * @throws DelosError bad-usage, wrong-state when it has ended
   */
  async kill(signal: string | number = 'SIGKILL'): Promise<void> {
    await killContainer(this.#making.root, this.id, parseSignal(String(signal)).number);
  }

  /** Runs one more program in it, to its end. @throws DelosError; the reason of `signal` when that was aborted */
  async exec(options: ExecOptions, { signal }: SignalOptions = {}): Promise<RunResult> {
    return execIn(this.#making.root, this.id, options, signal);
  }

  /** All its processes stand still. @throws DelosError wrong-state, unsupported without a freezer */
  async pause(): Promise<void> {
    await pauseContainer(this.#making.root, this.id);
  }

  async resume(): Promise<void> {
    await resumeContainer(this.#making.root, this.id);
  }

  /** Changes limits; those not named stay. @throws DelosError wrong-state, bad-usage, kernel-refused */
  async update(limits: Limits): Promise<void> {
    await updateContainer(this.#making.root, this.id, resourcesOf(limits));
  }

  /** What it uses now: times in nanoseconds, memory in bytes. */
  async stats(): Promise<CgroupStats> {
    return readCgroupStats(this.#making.record.cgroup);
  }

  /** Its connections to networks; `networks.connect()` and `networks.disconnect()` change them. */
  get connection(): Connection {
    return this.#making.connection;
  }

  /** @throws DelosError not-found when it has been removed */
  async inspect(): Promise<Inspection> {
    const record = readRecord(this.#making.root, this.id);
    return { ...containerState(this.#making.root, record), config: record.config, networks: this.#making.connection.leases.map(connectedNetwork) };
  }

  /** Kills it if need be, and removes it with all that belongs to it. What is removed already is no failure. */
  async remove(): Promise<void> {
    await deleteContainer(this.#making.root, this.id, { force: true });
    await this.#making.ended.catch(() => undefined);
    const { stdin, stdout, stderr } = this;
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }
}

/** A lease in the library's words. */
export function connectedNetwork({ network, interface: device, four, six, mac, ports }: Lease): ConnectedNetwork {
  return { name: network, interface: device, ...(four !== undefined && { ip: four }), ...(six !== undefined && { ip6: six }), mac, ports };
}

function resourcesOf({ memory, cpus, pids }: Limits): Resources {
  const limit = bytesOf(memory);
  if (cpus !== undefined && !(cpus >= 0.01)) throw new DelosError('bad-usage', `cpus: expected at least 0.01, found ${cpus}`);
  return {
    ...(limit !== undefined && { memory: { limit } }),
    ...(cpus !== undefined && { cpu: { quota: Math.round(cpus * CPU_PERIOD_US), period: CPU_PERIOD_US } }),
    ...(pids !== undefined && { pids: { limit: pids } }),
  };
}
