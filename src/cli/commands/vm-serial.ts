import { openSync, writeSync } from 'node:fs';
import { DelosError } from '../../lib/errors.ts';
import { warn } from './context.ts';

/** Where a machine's first serial port goes. */
export interface Serial {
  /** Takes the guest's bytes; in the order in which they come, and at once. */
  output(byte: number): void;
  /** What is typed goes to the guest, until what is returned is called. @param quit ends the machine */
  connect(send: (bytes: Uint8Array) => void, quit: () => void): () => void;
}

/** What a person types to end a machine, as in QEMU: Ctrl-A, then x. */
const escapeKey = 1;
const quitKey = 'x'.charCodeAt(0);

const nothingTyped = (): (() => void) => () => undefined;

/** @param where `stdio`, `file:PATH` or `none` @throws DelosError `bad-usage` for another, and for a file that can't be written */
export function serialOf(where: string): Serial {
  if (where === 'none') return { output: () => undefined, connect: nothingTyped };
  if (where.startsWith('file:')) {
    const file = openFor(where.slice('file:'.length));
    return { output: (byte) => void writeSync(file, Uint8Array.of(byte)), connect: nothingTyped };
  }
  if (where !== 'stdio') throw new DelosError('bad-usage', `--serial: ${where} is neither stdio nor file:PATH nor none`);
  return { output: (byte) => void process.stdout.write(Uint8Array.of(byte)), connect: typeInto };
}

function openFor(file: string): number {
  try {
    return openSync(file, 'w');
  } catch (error) {
    throw new DelosError('bad-usage', `--serial: ${file} can't be written: ${(error as Error).message}`, { cause: error });
  }
}

/** @returns what gives the terminal back */
function typeInto(send: (bytes: Uint8Array) => void, quit: () => void): () => void {
  const { stdin } = process;
  let escaped = false;
  const typed = (bytes: Uint8Array): void => {
    for (const byte of stdin.isTTY ? bytes : []) {
      if (escaped && byte === quitKey) quit();
      escaped = byte === escapeKey;
    }
    send(bytes);
  };
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    warn('Ctrl-A x ends the machine\r');
  }
  stdin.on('data', typed);
  return () => {
    stdin.off('data', typed);
    stdin.pause();
    if (stdin.isTTY) stdin.setRawMode(false);
  };
}
