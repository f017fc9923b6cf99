import { closeSync, openSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { DelosError } from '../../lib/errors.ts';
import { openPseudoTerminal } from '../../sys/pseudo-terminal.ts';
import { warn } from './context.ts';

/** Where a machine's first serial port goes. */
export interface Serial extends Disposable {
  /** Takes the guest's bytes; in the order in which they come, and at once. */
  output(byte: number): void;
  /** What is typed goes to the guest, until what is returned is called. @param quit ends the machine */
  connect(send: (bytes: Uint8Array) => void, quit: () => void): () => void;
}

/** What a person types to end a machine, as in QEMU: Ctrl-A, then x. */
const escapeKey = 1;
const quitKey = 'x'.charCodeAt(0);

const nothingTyped = (): (() => void) => () => undefined;

export interface SerialOptions {
  /** Where `stdio` writes. */
  readonly output?: NodeJS.WritableStream;
  /** Whether `stdio` takes over a terminal, so that each key is the guest's. */
  readonly isRaw?: boolean;
}

/**
 * @param where `stdio`, `pty`, `file:PATH` or `none`; a pseudo-terminal's path is told on stderr
 * @throws DelosError `bad-usage` for another, and for a file that can't be written
 */
export function serialOf(where: string, { output = process.stdout, isRaw = true }: SerialOptions = {}): Serial {
  const nothing = (): void => undefined;
  if (where === 'none') return { output: nothing, connect: nothingTyped, [Symbol.dispose]: nothing };
  if (where === 'pty') return terminalSerial();
  if (where.startsWith('file:')) {
    const file = openFor(where.slice('file:'.length));
    return { output: (byte) => void writeSync(file, Uint8Array.of(byte)), connect: nothingTyped, [Symbol.dispose]: () => closeSync(file) };
  }
  if (where !== 'stdio') throw new DelosError('bad-usage', `--serial: ${where} is neither stdio nor pty nor file:PATH nor none`);
  return { output: (byte) => void output.write(Uint8Array.of(byte)), connect: (send, quit) => typeInto(send, quit, isRaw), [Symbol.dispose]: nothing };
}

/** Bytes that wait for whoever opens the terminal; those beyond are lost, as on a line that nobody listens to. */
const mostWaiting = 1 << 16;

function terminalSerial(): Serial {
  const { master, slave, path } = openPseudoTerminal();
  // Like QEMU's words, which other programs look for.
  warn(`char device redirected to ${path} (label serial0)`);
  const stream = new ReadStream(master);
  return {
    output(byte) {
      if (stream.writableLength < mostWaiting) stream.write(Uint8Array.of(byte));
    },
    connect(send) {
      stream.on('data', send);
      return () => {
        stream.off('data', send);
        stream.pause();
      };
    },
    [Symbol.dispose]() {
      stream.destroy();
      closeSync(slave);
    },
  };
}

function openFor(file: string): number {
  try {
    return openSync(file, 'w');
  } catch (error) {
    throw new DelosError('bad-usage', `--serial: ${file} can't be written: ${(error as Error).message}`, { cause: error });
  }
}

/** @returns what gives the terminal back */
function typeInto(send: (bytes: Uint8Array) => void, quit: () => void, isRaw: boolean): () => void {
  const { stdin } = process;
  let escaped = false;
  const typed = (bytes: Uint8Array): void => {
    for (const byte of stdin.isTTY ? bytes : []) {
      if (escaped && byte === quitKey) quit();
      escaped = byte === escapeKey;
    }
    send(bytes);
  };
  if (stdin.isTTY && isRaw) {
    stdin.setRawMode(true);
    warn('Ctrl-A x ends the machine\r');
  }
  stdin.on('data', typed);
  return () => {
    stdin.off('data', typed);
    stdin.pause();
    if (stdin.isTTY && isRaw) stdin.setRawMode(false);
  };
}
