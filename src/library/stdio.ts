import fs from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { O_CLOEXEC } from '../abi/fcntl.ts';
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

/** What a process inside has as 0, 1 and 2, and what becomes of it. */
export class CollectedStdio {
  readonly descriptors: Stdio;
  /** Settles when all that was written has arrived; rejects when a stream of the caller fails. */
  readonly collected: Promise<readonly [stdout: Buffer, stderr: Buffer]>;
  readonly #given: number[] = [];
  readonly #sockets: net.Socket[] = [];
  #room: number;
  #truncated = false;
  readonly #onTooMuch: () => void;

  /** @param onTooMuch is called once, when more than `maxOutputBytes` have been collected; the rest is thrown away */
  constructor({ stdin = 'ignore', stdout = 'pipe', stderr = 'pipe', maxOutputBytes = 16 * 1024 * 1024 }: ProcessOptions, onTooMuch: () => void) {
    this.#room = maxOutputBytes;
    this.#onTooMuch = onTooMuch;
    const out = this.#output(stdout, 1);
    const err = this.#output(stderr, 2);
    this.descriptors = [this.#input(stdin), out.fd, err.fd];
    this.collected = Promise.all([out.text, err.text]);
    this.collected.catch(() => undefined);
  }

  get truncated(): boolean {
    return this.#truncated;
  }

  /** The descriptors of the container are closed here once it has them. */
  release(): void {
    for (const fd of this.#given.splice(0)) fs.closeSync(fd);
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

  #output(to: Output, inherited: number): { fd: number; text: Promise<Buffer> } {
    if (to === 'inherit') return { fd: inherited, text: empty };
    if (to === 'ignore') return { fd: devNull(), text: empty };
    const { ours, theirs } = this.#pipe(outputPipe());
    return { fd: theirs, text: to instanceof Writable ? pass(ours, to) : this.#collect(ours) };
  }

  #pipe(ends: Ends): Ends {
    this.#given.push(ends.theirs);
    this.#sockets.push(ends.ours);
    return ends;
  }

  #collect(from: net.Socket): Promise<Buffer> {
    const chunks: Buffer[] = [];
    from.on('data', (chunk: Buffer) => {
      if (this.#truncated) return;
      const kept = chunk.subarray(0, this.#room);
      this.#room -= kept.length;
      chunks.push(kept);
      if (kept.length === chunk.length) return;
      this.#truncated = true;
      this.#onTooMuch();
    });
    return new Promise((resolve, reject) => {
      from.on('error', reject).on('close', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    });
  }
}

const empty = Promise.resolve(Buffer.alloc(0));

/** Writes what comes to a stream of the caller, no faster than it takes it, and leaves it open. */
async function pass(from: net.Socket, to: Writable): Promise<Buffer> {
  for await (const chunk of from) {
    if (!to.write(chunk)) await once(to, 'drain');
  }
  return empty;
}
