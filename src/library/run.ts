import { planContainer } from '../oci/plan.ts';
import { encode } from '../plan/encode.ts';
import { readRefusal } from '../plan/refusal.ts';
import { deleteContainer } from '../runtime/delete.ts';
import { checkReport } from '../runtime/loaded-plan.ts';
import { reserve } from '../runtime/store.ts';
import { describe } from './config.ts';
import { execute, KILLED, killWhenThere, signalOf } from './execution.ts';
import { OomCount } from './oom.ts';
import type { RunOptions, RunResult, SignalOptions } from './options.ts';
import { CollectedStdio } from './stdio.ts';
import { Watch } from './watch.ts';

/**
 * Runs a program in a container of its own, to its end. Of the container nothing is left afterwards, however it ended.
 * @throws DelosError when it cannot be made; the reason of `signal` when that was aborted
 */
export async function run(options: RunOptions, { signal }: SignalOptions = {}): Promise<RunResult> {
  const startedAt = performance.now();
  signal?.throwIfAborted();
  const { request, prepared } = describe(options, false);
  const oom = new OomCount(prepared.record.cgroup);
  const plan = encode(planContainer(prepared.config, prepared.facts, prepared.request, { ended: oom.steps }));
  const folder = reserve(request.root, prepared.record);
  let isOver = false;
  using watch = new Watch(options.timeoutMs, signal, () => killWhenThere(folder, () => isOver));
  const stdio = new CollectedStdio(options, watch.stop);
  try {
    const report = await watch.during(execute(plan, stdio.descriptors));
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
  }
}
