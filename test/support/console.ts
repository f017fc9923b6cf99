import fs from 'node:fs';
import { acceptFrom, listenAt, receiveDescriptor } from '../../src/sys/descriptor-socket.ts';

/** Who wants a container's terminal: it listens for --console-socket and keeps the master that it is sent. */
export class Console implements Disposable {
  readonly #listener: number;
  readonly #timer: NodeJS.Timeout;
  #connection: number | undefined;
  /** Undefined until it has come. */
  master: number | undefined;

  constructor(path: string) {
    this.#listener = listenAt(path);
    this.#timer = setInterval(() => this.#look(), 5);
  }

  #look(): void {
    this.#connection ??= acceptFrom(this.#listener);
    if (this.#connection === undefined || this.master !== undefined) return;
    const master = receiveDescriptor(this.#connection);
    if (master === 'end') clearInterval(this.#timer);
    else this.master = master;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const fd of [this.master, this.#connection, this.#listener]) if (fd !== undefined) fs.closeSync(fd);
  }
}
