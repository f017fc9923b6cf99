import { planContainer } from '../oci/plan.ts';
import { encode } from '../plan/encode.ts';
import { readRefusal } from '../plan/refusal.ts';
import { deleteContainer } from '../runtime/delete.ts';
import { checkReport } from '../runtime/loaded-plan.ts';
import { startContainer } from '../runtime/start.ts';
import { describe, reserveFolder, rootRemoval, type Wanted } from './config.ts';
import { execute, KILLED, killWhenThere, signalOf } from './execution.ts';
import { OomCount } from './oom.ts';
import type { RunOptions, RunResult, SignalOptions } from './options.ts';
import { Readiness } from './readiness.ts';
import { CollectedStdio } from './stdio.ts';
import { Watch } from './watch.ts';

/**
 * Runs a program in a container of its own, to its end. Of the container nothing is left afterwards, however it ended.
 * @throws DelosError when it cannot be made; the reason of `signal` when that was aborted
 */
export async function run(options: RunOptions, { signal }: SignalOptions = {}): Promise<RunResult> {
  const startedAt = performance.now();
  signal?.throwIfAborted();
  const wanted = describe(options, false);
  const { request, prepared, connection } = wanted;
  const oom = new OomCount(prepared.record.cgroup);
  const plan = encode(planContainer(prepared.config, prepared.facts, prepared.request, { supervise: wanted.held, ended: [...oom.steps, ...rootRemoval(wanted)] }));
  const folder = reserveFolder(wanted);
  let isOver = false;
  using watch = new Watch(options.timeoutMs, signal, () => killWhenThere(folder, () => isOver));
  const stdio = new CollectedStdio(options, watch.stop);
  try {
    const connecting = wanted.held ? new Start(wanted, watch) : undefined;
    const running = execute(plan, stdio.descriptors);
    const [report] = await Promise.all([watch.during(running), connecting?.when(running, signal)]);
    isOver = true;
    stdio.release();
    // One that is killed while it is being built looks refused.
    const isUnfinished = watch.isStopped && readRefusal(report) !== undefined;
    if (isUnfinished) await deleteContainer(request.root, request.id, { force: true });
    const exitCode = isUnfinished ? KILLED : checkReport(report);
    const [stdout, stderr] = await stdio.finish(watch.stopped);
    signal?.throwIfAborted();
    return {
      exitCode, ...signalOf(exitCode), oomKilled: oom.killed(plan, report), timedOut: watch.isTimedOut, truncated: stdio.isTruncated,
      stdout, stderr, durationMs: performance.now() - startedAt,
    };
  } catch (error) {
    isOver = true;
    await deleteContainer(request.root, request.id, { force: true });
    throw error;
  } finally {
    stdio.close();
    // One that has waited stays when it has ended.
    if (wanted.held) await deleteContainer(request.root, request.id, { force: true });
    if (wanted.held) await connection.end();
  }
}

/** The start of a container that waits until it is connected. */
class Start {
  readonly #wanted: Wanted;
  readonly #watch: Watch;
  readonly #readiness: Readiness;

  constructor(wanted: Wanted, watch: Watch) {
    const { root, id } = wanted.request;
    [this.#wanted, this.#watch, this.#readiness] = [wanted, watch, new Readiness(root, id)];
  }

  /** @param running settles when its plan has ended */
  async when(running: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
    const { request: { root, id }, connection } = this.#wanted;
    using readiness = this.#readiness;
    try {
      const pid = await readiness.pid(running);
      if (pid === undefined) return;
      await connection.begin(pid, signal);
      await startContainer(root, id);
    } catch (error) {
      // What was killed meanwhile cannot be connected; how it ended is told by its report.
      if (!this.#watch.isStopped) throw error;
    }
  }
}
