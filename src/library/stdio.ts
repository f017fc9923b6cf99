import fs from 'node:fs';
import net from 'node:net';
import { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { O_CLOEXEC } from '../abi/fcntl.ts';
import { DelosError } from '../lib/errors.ts';
import { pair, type Stdio } from '../runtime/zygote.ts';
import type { Output, ProcessOptions } from './options.ts';

/** A pipe's end that Node holds, and the descriptor that goes to the container. */
interface Ends {
  readonly ours: net.Socket;
  readonly theirs: number;
}

let nothing: number | undefined;

/** /dev/null, opened once a process. */
function devNull(): number {
  nothing ??= fs.openSync('/dev/null', fs.constants.O_RDWR);
  return nothing;
}

/** A pipe that the container writes to. */
export function outputPipe(): Ends {
  const [read, write] = pair('pipe2', O_CLOEXEC);
  return { ours: new net.Socket({ fd: read, readable: true, writable: false }), theirs: write };
}

/** A pipe that the container reads from. */
export function inputPipe(): Ends {
  const [read, write] = pair('pipe2', O_CLOEXEC);
  const ours = new net.Socket({ fd: write, readable: false, writable: true });
  // A program may end without having read it all.
  ours.on('error', () => undefined);
  return { ours, theirs: read };
}

/** How long the output of what was killed may still arrive; others may hold its pipe for ever. */
const GRACE_MS = 100;

interface Collected {
  readonly chunks: Buffer[];
  /** Rejects when a stream of the caller fails. */
  readonly ended: Promise<unknown>;
}

/** What a process inside has as 0, 1 and 2, and what becomes of it. */
export class CollectedStdio {
  readonly descriptors: Stdio;
  readonly #stdout: Collected;
  readonly #stderr: Collected;
  readonly #given: number[] = [];
  readonly #sockets: net.Socket[] = [];
  readonly #stop: () => void;
  #room: number;
  #isTruncated = false;

  /** @param stop is called when more than `maxOutputBytes` have come, the rest of which is thrown away, and when a stream of the caller fails */
  constructor({ stdin = 'ignore', stdout = 'pipe', stderr = 'pipe', maxOutputBytes = 16 * 1024 * 1024 }: ProcessOptions, stop: () => void) {
    this.#room = maxOutputBytes;
    this.#stop = stop;
    const out = this.#output(stdout, 1);
    const err = this.#output(stderr, 2);
    this.#stdout = out;
    this.#stderr = err;
    this.descriptors = [this.#input(stdin), out.fd, err.fd];
  }

  get isTruncated(): boolean {
    return this.#isTruncated;
  }

  /** Closes the container's descriptors, once it has ended: until a zygote has taken them they may be needed for another. */
  release(): void {
    for (const fd of this.#given.splice(0)) fs.closeSync(fd);
  }

  /**
   * All that was written, once the process has ended.
   * @param stopped settles when nobody wants to wait any longer
   */
  async finish(stopped: Promise<void>): Promise<readonly [stdout: Buffer, stderr: Buffer]> {
    const all = Promise.all([this.#stdout.ended, this.#stderr.ended]);
    await Promise.race([all, stopped.then(() => sleep(GRACE_MS, undefined, { ref: false }))]);
    return [Buffer.concat(this.#stdout.chunks), Buffer.concat(this.#stderr.chunks)];
  }

  /** Lets go of everything, whatever state it is in. */
  close(): void {
    this.release();
    for (const socket of this.#sockets) socket.destroy();
  }

  #input(stdin: NonNullable<ProcessOptions['stdin']>): number {
    if (stdin === 'ignore') return devNull();
    if (stdin === 'inherit') return 0;
    const { ours, theirs } = this.#pipe(inputPipe());
    if (stdin instanceof Readable) stdin.on('error', () => ours.destroy()).pipe(ours);
    else ours.end(stdin);
    return theirs;
  }

  #output(to: Output, inherited: number): Collected & { readonly fd: number } {
    if (to === 'inherit') return { fd: inherited, chunks: [], ended: Promise.resolve() };
    if (to === 'ignore') return { fd: devNull(), chunks: [], ended: Promise.resolve() };
    const { ours, theirs } = this.#pipe(outputPipe());
    const chunks: Buffer[] = [];
    const ended = to instanceof Writable ? pass(ours, to) : this.#collect(ours, chunks);
    ended.catch(this.#stop);
    return { fd: theirs, chunks, ended };
  }

  #pipe(ends: Ends): Ends {
    this.#given.push(ends.theirs);
    this.#sockets.push(ends.ours);
    return ends;
  }

  #collect(from: net.Socket, chunks: Buffer[]): Promise<void> {
    from.on('data', (chunk: Buffer) => {
      if (this.#isTruncated) return;
      const kept = chunk.subarray(0, this.#room);
      this.#room -= kept.length;
      chunks.push(kept);
      if (kept.length === chunk.length) return;
      this.#isTruncated = true;
      this.#stop();
    });
    return new Promise((resolve, reject) => from.on('error', reject).on('close', () => resolve()));
  }
}

/** Writes what comes to a stream of the caller, no faster than it takes it, and leaves it open. @throws the stream's error, DelosError io */
async function pass(from: net.Socket, to: Writable): Promise<void> {
  const failure = Promise.withResolvers<never>();
  const close = (): void => failure.reject(new DelosError('io', 'the stream for the output was closed before all was written'));
  to.once('error', failure.reject).once('close', close);
  try {
    if (to.destroyed) close();
    await Promise.race([copy(from, to), failure.promise]);
  } finally {
    to.off('error', failure.reject).off('close', close);
  }
}

async function copy(from: net.Socket, to: Writable): Promise<void> {
  for await (const chunk of from) {
    if (!to.write(chunk)) await new Promise<void>((resolve) => to.once('drain', resolve));
  }
}
