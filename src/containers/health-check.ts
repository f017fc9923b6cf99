import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import fs from 'node:fs';
import { SIGKILL } from '../abi/signal.ts';
import { DelosError } from '../lib/errors.ts';
import type { Process } from '../oci/config/types.ts';
import { execContainer } from '../runtime/exec.ts';
import { LoadedPlan } from '../runtime/loaded-plan.ts';
import { lockContainer } from '../runtime/lock.ts';
import type { Place } from '../runtime/place.ts';
import { childProcess } from '../sys/builtin.ts';
import { executorFd } from '../sys/memfd.ts';
import { readContainer } from './catalogue.ts';
import type { Container } from './container.ts';
import { containerEvent } from './events.ts';
import { afterCheck, KEPT_OUTPUT, readHealth, unknownHealth, writeHealth, type Health, type HealthPlan, type HealthResult } from './health.ts';
import { containersFolder, type Places } from './places.ts';
import { runtimeRecord, standingOf } from './standing.ts';

/**
 * Looks once after a container that runs, and writes down what it has found. One that is paused is left alone.
 * @returns how it is; nothing when it does not run, or has ended meanwhile
 */
export async function checkHealth(places: Places, container: Container): Promise<Health['status'] | undefined> {
  const { health: plan } = container;
  const base = runtimeRecord(places, container.id)?.config.process;
  const { status } = standingOf(places, container);
  if (plan === undefined || base === undefined || status !== 'running') return readHealth(places, container.id)?.status;
  const result = await makeCheck(places, container.id, plan, checkProcess(base, plan.command));
  return result === undefined ? readHealth(places, container.id)?.status : record(places, container, plan, result);
}

/** The container's own process, with another program. */
function checkProcess(process: Process, command: readonly string[]): Process {
  const { terminal: _, consoleSize: __, ...base } = process;
  const bounding = base.capabilities?.bounding ?? [];
  const isRoot = (base.user?.uid ?? 0) === 0;
  return { ...base, args: [...command], capabilities: isRoot ? { bounding, effective: bounding, permitted: bounding } : { bounding } };
}

/** Nothing when the container was paused under it. */
async function makeCheck(places: Places, id: string, { timeoutMs }: HealthPlan, process: Process): Promise<HealthResult | undefined> {
  const start = new Date().toISOString();
  const place = new CheckPlace(timeoutMs, () => isPaused(places, id));
  const finish = (exitCode: number, output: string): HealthResult => ({ start, end: new Date().toISOString(), exitCode, output });
  try {
    const exitCode = await execContainer({
      root: places.run, systemdCgroup: false, id, process, detach: false, preserveFds: 0, ignorePaused: false, cgroup: {},
    }, place);
    if (place.isVoid) return undefined;
    if (place.isLate) return finish(-1, `Health check exceeded timeout (${timeoutMs}ms): ${place.output}`);
    return finish(exitCode, place.output);
  } catch (error) {
    if (!(error instanceof DelosError)) throw error;
    return finish(-1, error.message);
  }
}

function isPaused(places: Places, id: string): boolean {
  const container = readContainer(places, id);
  return container !== undefined && standingOf(places, container).status === 'paused';
}

/** @returns how the container is now; nothing when it is not the one that was looked at, or was started anew */
async function record(places: Places, { id, startedAt = '' }: Container, plan: HealthPlan, result: HealthResult): Promise<Health['status'] | undefined> {
  try {
    using _ = await lockContainer(containersFolder(places), id);
    const container = readContainer(places, id);
    if (container?.startedAt !== startedAt || standingOf(places, container).status !== 'running') return undefined;
    const before = readHealth(places, id) ?? unknownHealth;
    const after = afterCheck(before, result, plan, Date.parse(startedAt));
    writeHealth(places, id, after);
    if (after.status !== before.status) containerEvent(places, container, `health_status: ${after.status}`);
    return after.status;
  } catch (error) {
    // It was removed, or somebody takes long to change it.
    if (error instanceof DelosError && (error.code === 'not-found' || error.code === 'wrong-state')) return undefined;
    throw error;
  }
}

/** How long the output may stay open after its end: others that the program has started may hold it. */
const DRAIN_MS = 200;

/** Runs a plan with its output to us, and no longer than it may. */
class CheckPlace implements Place {
  readonly refused = undefined;
  readonly #timeoutMs: number;
  readonly #pieces: Buffer[] = [];
  readonly #isPaused: () => boolean;
  isLate = false;
  /** It could not go on, so that it says nothing. */
  isVoid = false;

  constructor(timeoutMs: number, isPaused: () => boolean) {
    this.#timeoutMs = timeoutMs;
    this.#isPaused = isPaused;
  }

  get output(): string {
    return Buffer.concat(this.#pieces).toString('utf8', 0, KEPT_OUTPUT);
  }

  async run(plan: Parameters<Place['run']>[0]): Promise<number> {
    using loaded = new LoadedPlan(plan);
    const child = childProcess().spawn(`/proc/self/fd/${executorFd()}`, ['3'], { stdio: ['ignore', 'pipe', 'pipe', loaded.fd] });
    const [output, errorOutput] = [child.stdout, child.stderr] as [Readable, Readable];
    for (const stream of [output, errorOutput]) stream.on('data', (piece: Buffer) => this.#keep(piece));
    const closed = once(child, 'close');
    const limit = setTimeout(() => {
      this.isLate = true;
      this.isVoid = this.#isPaused();
      killChildren(child.pid ?? 0);
    }, this.#timeoutMs);
    await once(child, 'exit');
    clearTimeout(limit);
    const drained = new AbortController();
    await Promise.race([closed, sleep(DRAIN_MS, undefined, { signal: drained.signal }).catch(() => undefined)]);
    drained.abort();
    for (const stream of [output, errorOutput]) stream.destroy();
    return loaded.check();
  }

  /** What is beyond the limit is read and forgotten, so that the program is not held up. */
  #keep(piece: Buffer): void {
    const have = this.#pieces.reduce((sum, { length }) => sum + length, 0);
    if (have < KEPT_OUTPUT) this.#pieces.push(piece.subarray(0, KEPT_OUTPUT - have));
  }
}

/** The executor's child is the process in the container; when it is gone, the executor ends by itself. proc_tid_children(5) */
function killChildren(pid: number): void {
  try {
    const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter((word) => word.trim() !== '');
    for (const child of children) process.kill(Number(child), SIGKILL);
  } catch {
    // It has ended just now.
  }
}
