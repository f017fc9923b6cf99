import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { AF_UNIX, SOCK_CLOEXEC, SOCK_SEQPACKET } from '../abi/socket.ts';
import { O_CLOEXEC } from '../abi/fcntl.ts';
import { DelosError } from '../lib/errors.ts';
import type { EncodedPlan } from '../plan/encode.ts';
import { wasTaken } from '../plan/refusal.ts';
import { sendDescriptors } from '../sys/descriptor-socket.ts';
import { executorFd } from '../sys/memfd.ts';
import { syscall, SystemCallError } from '../sys/syscall.ts';
import { checkReport, LoadedPlan } from './loaded-plan.ts';
import type { Place } from './place.ts';

/** Descriptors that become 0, 1 and 2 of the container. */
export type Stdio = readonly [stdin: number, stdout: number, stderr: number];

/**
 * A small process that forks an executor for each plan it is sent (native/zygote.h). Forking it takes half of what it takes to
 * fork Node, and the containers are not Node's children. It ends when it is disposed of, or with this process.
 */
export class Zygote implements Disposable {
  readonly #socket: number;
  #isAlive = true;
  /** Of the process, for tests and for people. */
  readonly pid: number | undefined;

  constructor() {
    const [ours, theirs] = pair('socketpair', AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    this.#socket = ours;
    // A session of its own: the keys of this process's terminal are no business of the containers.
    const child = spawn(`/proc/self/fd/${executorFd()}`, ['-z', '3'], { stdio: ['ignore', 'ignore', 'ignore', theirs], cwd: '/', detached: true });
    this.pid = child.pid;
    child.on('exit', () => this.#end()).on('error', () => this.#end()).unref();
    fs.closeSync(theirs);
  }

  /** Whether it takes plans, as far as is known. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** A place that runs plans here with the given stdio, which the caller keeps and closes. Nothing can be preserved beyond it. */
  place(stdio: Stdio): Place {
    return { refused: undefined, run: async (plan) => checkReport(await this.run(plan, stdio)) };
  }

  /**
   * Runs a plan with the given stdio, which the caller keeps and closes.
   * @returns the plan's bytes as its processes have left them
   * @throws DelosError interrupted when the zygote was killed before it took the plan: nothing was done then
   */
  async run(plan: EncodedPlan, stdio: Stdio): Promise<Uint8Array> {
    using loaded = new LoadedPlan(plan);
    const [done, runners] = pair('pipe2', O_CLOEXEC);
    const ended = closing(done);
    try {
      this.#send([loaded.fd, ...stdio, runners]);
    } finally {
      fs.closeSync(runners);
    }
    await ended;
    const report = loaded.report();
    if (!wasTaken(report)) throw notTaken();
    return report;
  }

  #send(fds: readonly number[]): void {
    if (!this.#isAlive) throw notTaken();
    try {
      sendDescriptors(this.#socket, new Uint8Array(1), fds);
    } catch (error) {
      if (!(error instanceof SystemCallError && ['EPIPE', 'ECONNRESET', 'ENOTCONN'].includes(error.errno))) throw error;
      this.#end();
      throw notTaken(error);
    }
  }

  #end(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    fs.closeSync(this.#socket);
  }

  [Symbol.dispose](): void {
    this.#end();
  }
}

/** Whether an error says that a plan never began, so that it may be run again. */
export function neverBegan(error: unknown): boolean {
  return error instanceof DelosError && error.code === 'interrupted' && error.message === notTakenMessage;
}

const notTakenMessage = 'the zygote was killed before it took the plan';

function notTaken(cause?: unknown): DelosError {
  return new DelosError('interrupted', notTakenMessage, { cause });
}

/** Two descriptors that a call writes as two ints. */
export function pair(call: 'socketpair' | 'pipe2', ...args: readonly number[]): [number, number] {
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
