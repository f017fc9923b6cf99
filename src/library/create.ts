import fs from 'node:fs';
import { planContainer } from '../oci/plan.ts';
import { encode, type EncodedPlan } from '../plan/encode.ts';
import { deleteContainer } from '../runtime/delete.ts';
import { checkReport } from '../runtime/loaded-plan.ts';
import { describe, reserveFolder, type Wanted } from './config.ts';
import { Container } from './container.ts';
import { execute } from './execution.ts';
import { OomCount } from './oom.ts';
import type { ContainerOptions, SignalOptions } from './options.ts';
import { Readiness } from './readiness.ts';
import { inputPipe, outputPipe } from './stdio.ts';

/**
 * Builds a container up to the moment before its program, and connects it to its network. When it fails nothing is left of it.
 * @throws DelosError; the reason of `signal` when that was aborted before it was done
 */
export async function create(options: ContainerOptions, { signal }: SignalOptions = {}): Promise<Container> {
  signal?.throwIfAborted();
  const wanted = describe(options, true);
  const { request: { root, id }, prepared, connection } = wanted;
  const oom = new OomCount(prepared.record.cgroup);
  const plan = encode(planContainer(prepared.config, prepared.facts, prepared.request, { supervise: true, ended: oom.steps }));
  reserveFolder(wanted);
  try {
    const built = await build(wanted, plan);
    await connection.begin(built.pid, signal);
    signal?.throwIfAborted();
    return new Container({ root, record: prepared.record, plan, oom, connection, ...built });
  } catch (error) {
    await deleteContainer(root, id, { force: true });
    await connection.end();
    throw error;
  }
}

/** Runs the plan, and comes back when the container is there and waits. */
async function build({ request: { root, id }, connection }: Wanted, plan: EncodedPlan) {
  using readiness = new Readiness(root, id);
  const [stdin, stdout, stderr] = [inputPipe(), outputPipe(), outputPipe()];
  const streams = { stdin: stdin.ours, stdout: stdout.ours, stderr: stderr.ours };
  try {
    const running = execute(plan, [stdin.theirs, stdout.theirs, stderr.theirs]).finally(() => {
      for (const { theirs } of [stdin, stdout, stderr]) fs.closeSync(theirs);
    });
    const pid = await readiness.pid(running);
    if (pid === undefined) return failed(await running);
    return { pid, streams, ended: running.finally(() => connection.end()) };
  } catch (error) {
    for (const stream of Object.values(streams)) stream.destroy();
    throw error;
  }
}

/** The plan has ended before the container was ready, so it was refused. */
function failed(report: Uint8Array): never {
  checkReport(report);
  throw new Error('assertion: a plan ended well before its container was ready');
}
