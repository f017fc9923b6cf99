import type * as ChildProcess from 'node:child_process';
import type * as Net from 'node:net';
import type * as Tty from 'node:tty';

/**
 * Parts of Node that are loaded on first use: with the streams that they need each is a tenth of a cold start, and making a
 * container takes none of them.
 */
export function childProcess(): typeof ChildProcess {
  return process.getBuiltinModule('node:child_process');
}

export function net(): typeof Net {
  return process.getBuiltinModule('node:net');
}

export function tty(): typeof Tty {
  return process.getBuiltinModule('node:tty');
}
