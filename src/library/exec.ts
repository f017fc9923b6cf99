import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SIGKILL } from '../abi/signal.ts';
import { oomKills } from '../cgroup/oom.ts';
import { listProcesses } from '../cgroup/processes.ts';
import { execContainer } from '../runtime/exec.ts';
import { checkReport } from '../runtime/loaded-plan.ts';
import type { Place } from '../runtime/place.ts';
import type { ContainerRecord } from '../runtime/record.ts';
import { containerFolder, readRecord } from '../runtime/store.ts';
import { syscall, SystemCallError } from '../sys/syscall.ts';
import { processBeside } from './config.ts';
import { execute, KILLED, signalOf } from './execution.ts';
import type { ExecOptions, RunResult } from './options.ts';
import { CollectedStdio } from './stdio.ts';
import { Watch } from './watch.ts';

let count = 0;

/** One more program in a container, to its end. */
export async function execIn(root: string, id: string, options: ExecOptions, signal: AbortSignal | undefined): Promise<RunResult> {
  const startedAt = performance.now();
  signal?.throwIfAborted();
  const record = readRecord(root, id);
  const killsBefore = oomKills(record.cgroup);
  const pidFile = path.join(containerFolder(root, id), `exec-${process.pid}-${++count}`);
  let isOver = false;
  using watch = new Watch(options.timeoutMs, signal, () => killExecuted(record, pidFile, () => isOver));
  const stdio = new CollectedStdio(options, watch.stop);
  const program = { ...processBeside(record.config.process, options), ...(options.user && { user: options.user }) };
  const place: Place = {
    refused: undefined,
    run: async (plan) => {
      const report = await watch.during(execute(plan, stdio.descriptors));
      stdio.release();
      return checkReport(report);
    },
  };
  try {
    const ended = execContainer({
      root, id, systemdCgroup: record.systemdCgroup, process: program, detach: false, pidFile, preserveFds: 0, ignorePaused: false, cgroup: {},
    }, place);
    const exitCode = await ended.catch((error: unknown) => {
      if (watch.isStopped) return KILLED;
      throw error;
    });
    isOver = true;
    const [stdout, stderr] = await stdio.finish(watch.stopped);
    signal?.throwIfAborted();
    return {
      exitCode, ...signalOf(exitCode), oomKilled: oomKills(record.cgroup) > killsBefore, timedOut: watch.isTimedOut, truncated: stdio.isTruncated,
      stdout, stderr, durationMs: performance.now() - startedAt,
    };
  } finally {
    isOver = true;
    stdio.close();
    fs.rmSync(pidFile, { force: true });
  }
}

/** Kills the process of a pid file as soon as it is there, if it is still one of the container. */
async function killExecuted({ cgroup }: ContainerRecord, pidFile: string, isOver: () => boolean): Promise<void> {
  for (; !isOver(); await sleep(1)) {
    const pid = fs.existsSync(pidFile) ? Number(fs.readFileSync(pidFile, 'utf8')) : 0;
    if (pid === 0) continue;
    try {
      const pidfd = syscall('pidfd_open', pid, 0);
      // From here on the pid cannot pass to another process unseen.
      if (listProcesses(cgroup).includes(pid)) syscall('pidfd_send_signal', pidfd, SIGKILL, 0, 0);
      fs.closeSync(pidfd);
    } catch (error) {
      if (!(error instanceof SystemCallError && error.errno === 'ESRCH')) throw error;
    }
    return;
  }
}
