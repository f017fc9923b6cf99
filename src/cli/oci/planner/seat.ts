import fs from 'node:fs';
import path from 'node:path';
import { DelosError } from '../../../lib/errors.ts';
import { isFolder, tryLock } from '../../../runtime/lock.ts';
import { listenAt } from '../../../sys/descriptor-socket.ts';

/** The socket's path with its NUL must fit into struct sockaddr_un: unix(7). */
const longestPath = 107;

/**
 * The one place that a planner can have in a folder. It is held by a lock on the folder, so of two that start at once one has it, and
 * it is free as soon as its holder is dead. Only the holder touches the socket's path.
 */
export class Seat implements Disposable {
  readonly socket: string;
  readonly #folder: number;
  #bound: fs.BigIntStats | undefined;

  private constructor(folder: number, socket: string) {
    this.#folder = folder;
    this.socket = socket;
  }

  /** Undefined when another planner has it. The folder is made if need be. @throws DelosError io */
  static take(folder: string): Seat | undefined {
    const socket = path.join(folder, 'planner.sock');
    if (Buffer.byteLength(socket) > longestPath) throw new DelosError('io', `${socket}: longer than the path of a socket can be, ${longestPath} bytes`);
    const descriptor = openFolder(folder);
    if (tryLock(descriptor) && isFolder(descriptor, folder)) return new Seat(descriptor, socket);
    fs.closeSync(descriptor);
    return undefined;
  }

  /** The socket, bound and listening, for this user only; who is given it closes it. A stale one of a dead planner is replaced. @throws DelosError io */
  listen(): number {
    // No await before it is set back: all of this process makes files with it.
    const mask = process.umask(0o177);
    try {
      fs.rmSync(this.socket, { force: true });
      const listener = listenAt(this.socket);
      this.#bound = fs.lstatSync(this.socket, { bigint: true });
      return listener;
    } catch (cause) {
      throw new DelosError('io', `${this.socket}: cannot be listened at: ${reasonOf(cause)}`, { cause });
    } finally {
      process.umask(mask);
    }
  }

  /** Removes the socket, unless the folder was removed and another one's is in its place, and then gives up the seat. */
  [Symbol.dispose](): void {
    const found = fs.lstatSync(this.socket, { bigint: true, throwIfNoEntry: false });
    if (found && found.ino === this.#bound?.ino && found.dev === this.#bound.dev) fs.rmSync(this.socket, { force: true });
    fs.closeSync(this.#folder);
  }
}

/** Containers' folders are in it too: others may pass through, as in src/runtime/store.ts. */
function openFolder(folder: string): number {
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o711 });
    return fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  } catch (cause) {
    throw new DelosError('io', `${folder}: cannot be made: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(cause: unknown): string {
  const { errno, code } = cause as { errno?: unknown; code?: unknown };
  return String(code ?? errno ?? cause);
}
