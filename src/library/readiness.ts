import fs from 'node:fs';
import net from 'node:net';
import { AT_FDCWD, S_IFIFO } from '../abi/fcntl.ts';
import { makeStart } from '../runtime/create.ts';
import { syscall } from '../sys/syscall.ts';

/** A fifo in the container's folder: the pid is written to it when the container is built. */
export function readyFile(root: string, id: string): string {
  return `${root}/${id}/ready`;
}

/** Tells when a container that waits for its start is built. Made before its plan runs. */
export class Readiness implements Disposable {
  readonly #socket: net.Socket;

  constructor(root: string, id: string) {
    makeStart(`${root}/${id}`);
    const fifo = readyFile(root, id);
    syscall('mknodat', AT_FDCWD, fifo, S_IFIFO | 0o600, 0);
    // Opened for writing as well, so that there is no end of file before the other side has opened it.
    this.#socket = new net.Socket({ fd: fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK), readable: true, writable: false });
  }

  /** Of the container's init; nothing when its plan has ended before. */
  pid(ended: Promise<unknown>): Promise<number | undefined> {
    const told = new Promise<number>((resolve, reject) => this.#socket.once('data', (digits: Buffer) => resolve(Number(digits.toString()))).once('error', reject));
    return Promise.race([told, ended.then(() => undefined)]);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
