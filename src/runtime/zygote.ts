import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { O_CLOEXEC } from '../abi/fcntl.ts';
import { AF_UNIX, SOCK_CLOEXEC, SOCK_SEQPACKET } from '../abi/socket.ts';
import type { EncodedPlan } from '../plan/encode.ts';
import { sendDescriptors } from '../sys/descriptor-socket.ts';
import { executorFd } from '../sys/memfd.ts';
import { syscall } from '../sys/syscall.ts';
import { LoadedPlan } from './loaded-plan.ts';
import type { Place } from './place.ts';

/** Descriptors that become 0, 1 and 2 of the container. */
export type Stdio = readonly [stdin: number, stdout: number, stderr: number];

/**
 * A small process that forks an executor for each plan it is sent (native/zygote.h). Forking it takes half of what it takes to
 * fork Node, and the containers are not Node's children. It ends when it is disposed of, or with this process.
 */
export class Zygote implements Disposable {
  readonly #socket: number;
  readonly #process: ChildProcess;

  constructor() {
    const [ours, theirs] = pair('socketpair', AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    this.#socket = ours;
    this.#process = spawn(`/proc/self/fd/${executorFd()}`, ['-z', '3'], { stdio: ['ignore', 'ignore', 'ignore', theirs], cwd: '/' });
    this.#process.unref();
    fs.closeSync(theirs);
  }

  /** A place that runs plans here with the given stdio, which the caller keeps and closes. Nothing can be preserved beyond it. */
  place(stdio: Stdio): Place {
    return { refused: undefined, run: (plan) => this.#run(plan, stdio) };
  }

  async #run(plan: EncodedPlan, stdio: Stdio): Promise<number> {
    using loaded = new LoadedPlan(plan);
    const [done, runners] = pair('pipe2', O_CLOEXEC);
    try {
      sendDescriptors(this.#socket, new Uint8Array(1), [loaded.fd, ...stdio, runners]);
    } finally {
      fs.closeSync(runners);
    }
    await closing(done);
    return loaded.check();
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#socket);
  }
}

/** Two descriptors that a call writes as two ints. */
function pair(call: 'socketpair' | 'pipe2', ...args: readonly number[]): [number, number] {
  const ends = new Int32Array(2);
  if (call === 'pipe2') syscall(call, ends, ...args);
  else syscall(call, ...args, ends);
  const [first = -1, second = -1] = ends;
  return [first, second];
}

/** Waits until nobody holds the other end of the pipe any more, and closes this one. */
function closing(fd: number): Promise<void> {
  const socket = new net.Socket({ fd, readable: true, writable: false });
  return new Promise((resolve) => socket.on('error', () => undefined).on('close', () => resolve()).resume());
}
