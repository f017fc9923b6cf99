import { DelosError } from '../lib/errors.ts';
import type { Container } from './container.ts';
import { FrameReader, frame, inputFrames, sizeFrame } from './frames.ts';
import type { Places } from './places.ts';
import { connectMonitor } from './watch.ts';

export interface AttachOptions {
  /** Pass the caller's stdin on. */
  readonly input: boolean;
  /** The bytes typed one after the other that end the attachment and leave the container running; empty for none. */
  readonly detachKeys: Uint8Array;
}

/** How an attachment came to its end. */
export type Attached = { readonly kind: 'ended'; readonly exitCode: number } | { readonly kind: 'detached' } | { readonly kind: 'lost' };

/**
 * Joins the caller's stdin, stdout and stderr with a container that runs or waits for its start. `done` is settled when the
 * container ends or the caller types the keys; a terminal is then as it was.
 * @throws DelosError wrong-state when nobody serves it
 */
export async function attachTo(places: Places, container: Container, { input, detachKeys }: AttachOptions): Promise<{ done: Promise<Attached> }> {
  const socket = await connectMonitor(places, container.id);
  if (socket === undefined) throw new DelosError('wrong-state', `container ${container.name} is not running: there is nothing to attach to`);
  const { stdout, stderr } = process;
  const frames = new FrameReader();
  const result = Promise.withResolvers<Attached>();
  const joined = Promise.withResolvers<void>();
  const resize = (): void => {
    if (stdout.isTTY) socket.write(sizeFrame(stdout.rows, stdout.columns));
  };
  socket.on('data', (piece: Buffer) => {
    for (const received of frames.read(piece)) {
      if (received.kind === 'attached') joined.resolve();
      else if (received.kind === 'end') result.resolve({ kind: 'ended', exitCode: received.exitCode });
      // A full pipe of ours must hold the container up, not fill our memory.
      else if (!(received.stream === 'stdout' ? stdout : stderr).write(received.data)) pauseUntilDrained(socket, received.stream === 'stdout' ? stdout : stderr);
    }
  });
  socket.on('close', () => {
    result.resolve({ kind: 'lost' });
    joined.resolve();
  });
  socket.write(frame('a'));
  // Only then may one who waits for its start begin: no output is missed.
  await joined.promise;
  if (container.tty) {
    resize();
    process.on('SIGWINCH', resize);
  }
  const release = input ? forwardInput(socket, container.tty, detachKeys, () => result.resolve({ kind: 'detached' })) : () => undefined;
  const done = result.promise.finally(() => {
    process.off('SIGWINCH', resize);
    release();
    socket.destroy();
  });
  return { done };
}

function pauseUntilDrained(source: NodeJS.ReadableStream, sink: NodeJS.WritableStream): void {
  source.pause();
  sink.once('drain', () => source.resume());
}

/** Passes stdin on until the keys are typed. Gives what undoes it. */
function forwardInput(socket: NodeJS.WritableStream, tty: boolean, detachKeys: Uint8Array, detach: () => void): () => void {
  const { stdin } = process;
  const raw = tty && stdin.isTTY;
  const keys = new KeySequence(detachKeys);
  const forward = (data: Buffer): void => {
    const { passed, matched } = raw ? keys.take(data) : { passed: data, matched: false };
    // A terminal is read on: its keys may be those that detach.
    if (passed.length > 0 && !socket.write(inputFrames(passed)) && !raw) pauseUntilDrained(stdin, socket);
    if (matched) detach();
  };
  // A terminal has no end of input but the key for it.
  const end = (): void => void socket.write(tty ? inputFrames(Buffer.from([4])) : frame('e'));
  if (raw) stdin.setRawMode(true);
  stdin.on('data', forward).on('end', end);
  return () => {
    stdin.off('data', forward).off('end', end).pause();
    if (raw) stdin.setRawMode(false);
    // A file has none.
    stdin.unref?.();
  };
}

/** Looks for keys typed one after the other. What may still become the sequence is held back until it is known. */
export class KeySequence {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** What of the data, and of what was held back, is to be passed on; what follows the sequence is dropped. */
  take(data: Buffer): { readonly passed: Buffer; readonly matched: boolean } {
    const passed: number[] = [];
    for (const byte of data) {
      if (this.#keys.length === 0) {
        passed.push(byte);
        continue;
      }
      if (byte !== this.#keys[this.#matched]) {
        passed.push(...this.#keys.subarray(0, this.#matched));
        this.#matched = 0;
      }
      if (byte !== this.#keys[this.#matched]) passed.push(byte);
      else if (++this.#matched === this.#keys.length) return { passed: Buffer.from(passed), matched: true };
    }
    return { passed: Buffer.from(passed), matched: false };
  }
}
