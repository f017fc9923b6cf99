import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TIOCSWINSZ } from '../abi/socket.ts';
import { tty } from '../sys/builtin.ts';
import { acceptFrom, listenAt, receiveDescriptor } from '../sys/descriptor-socket.ts';
import { syscall } from '../sys/syscall.ts';

const pollMs = 2;

/**
 * Runs something that wants a console socket with this process's own terminal as the console: keys go in, output comes out, the
 * size follows. The terminal is given back as it was, whatever happens.
 * @param start is given the path of the console socket; its promise is the end of the container
 */
export async function runInTerminal(start: (consoleSocket: string) => Promise<number>): Promise<number> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-'));
  const socket = path.join(folder, 'console');
  const listener = listenAt(socket);
  const ended = new AbortController();
  try {
    const exit = start(socket).finally(() => ended.abort());
    const relayed = receiveMaster(listener, ended.signal).then((master) => (master === undefined ? undefined : relay(master)));
    const [code] = await Promise.all([exit, relayed]);
    return code;
  } finally {
    fs.closeSync(listener);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function receiveMaster(listener: number, ended: AbortSignal): Promise<number | undefined> {
  for (let connection: number | undefined; ; await delay(pollMs)) {
    connection ??= acceptFrom(listener);
    if (connection !== undefined) {
      const master = receiveDescriptor(connection);
      if (master === undefined) continue;
      fs.closeSync(connection);
      // A container that is refused ends without having sent it; why is told by who started it.
      return master === 'end' ? undefined : master;
    }
    if (ended.aborted) return undefined;
  }
}

/** Copies between the terminal's master and this process's stdin and stdout until the other side is closed. */
export async function relay(master: number): Promise<void> {
  const terminal = new (tty().ReadStream)(master);
  const resize = (): void => copySize(master);
  const { stdin, stdout } = process;
  const raw = stdin.isTTY;
  if (raw) {
    stdin.setRawMode(true);
    resize();
    process.on('SIGWINCH', resize);
  }
  const forward = (keys: Buffer): void => void terminal.write(keys);
  const endOfInput = (): void => void terminal.write('\x04');
  stdin.on('data', forward).on('end', endOfInput);
  await new Promise<void>((resolve) => {
    terminal.on('data', (output: Buffer) => stdout.write(output));
    // The last closing of the container's side is EIO on this one.
    terminal.on('error', () => resolve()).on('close', () => resolve()).on('end', () => resolve());
  });
  process.off('SIGWINCH', resize);
  stdin.off('data', forward).off('end', endOfInput).pause();
  if (raw) stdin.setRawMode(false);
  stdin.unref?.();
  terminal.destroy();
}

function copySize(master: number): void {
  const [columns, rows] = process.stdout.isTTY ? process.stdout.getWindowSize() : [80, 24];
  syscall('ioctl', master, TIOCSWINSZ, new Uint16Array([rows, columns, 0, 0]));
}
