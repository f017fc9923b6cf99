import fs from 'node:fs';
import net from 'node:net';
import { AT_FDCWD, S_IFIFO } from '../abi/fcntl.ts';
import { planContainer } from '../oci/plan.ts';
import { encode, type EncodedPlan } from '../plan/encode.ts';
import { makeStart } from '../runtime/create.ts';
import { deleteContainer } from '../runtime/delete.ts';
import { checkReport } from '../runtime/loaded-plan.ts';
import { reserve } from '../runtime/store.ts';
import { syscall } from '../sys/syscall.ts';
import { describe, readyFile, type Wanted } from './config.ts';
import { Container } from './container.ts';
import { execute } from './execution.ts';
import { OomCount } from './oom.ts';
import type { ContainerOptions } from './options.ts';
import { inputPipe, outputPipe } from './stdio.ts';

/**
 * Builds a container up to the moment before its program. When it fails nothing is left of it.
 * @throws DelosError
 */
export async function create(options: ContainerOptions): Promise<Container> {
  const wanted = describe(options, true);
  const { request: { root, id }, prepared } = wanted;
  const oom = new OomCount(prepared.record.cgroup);
  const plan = encode(planContainer(prepared.config, prepared.facts, prepared.request, { supervise: true, ended: oom.steps }));
  const folder = reserve(root, prepared.record);
  try {
    makeStart(folder);
    syscall('mknodat', AT_FDCWD, readyFile(root, id), S_IFIFO | 0o600, 0);
    return new Container({ root, record: prepared.record, plan, oom, ...(await build(wanted, plan)) });
  } catch (error) {
    await deleteContainer(root, id, { force: true });
    throw error;
  }
}

/** Runs the plan, and comes back when the container is there and waits. */
async function build({ request: { root, id } }: Wanted, plan: EncodedPlan) {
  const [stdin, stdout, stderr] = [inputPipe(), outputPipe(), outputPipe()];
  const streams = { stdin: stdin.ours, stdout: stdout.ours, stderr: stderr.ours };
  const ready = readySocket(readyFile(root, id));
  try {
    const ended = execute(plan, [stdin.theirs, stdout.theirs, stderr.theirs]).finally(() => {
      for (const { theirs } of [stdin, stdout, stderr]) fs.closeSync(theirs);
    });
    const pid = await Promise.race([pidFrom(ready), ended.then(failed)]);
    return { pid, streams, ended };
  } catch (error) {
    for (const stream of Object.values(streams)) stream.destroy();
    throw error;
  } finally {
    ready.destroy();
  }
}

/** Opened for writing as well, so that there is no end of file before the other side has opened it. */
function readySocket(fifo: string): net.Socket {
  return new net.Socket({ fd: fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK), readable: true, writable: false });
}

function pidFrom(ready: net.Socket): Promise<number> {
  return new Promise((resolve, reject) => ready.once('data', (digits: Buffer) => resolve(Number(digits.toString()))).once('error', reject));
}

/** The plan has ended before the container was ready, so it was refused. */
function failed(report: Uint8Array): never {
  checkReport(report);
  throw new Error('assertion: a plan ended well before its container was ready');
}
