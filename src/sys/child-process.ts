import type * as ChildProcess from 'node:child_process';

/** node:child_process, loaded on first use: with the streams and sockets that it needs it is a tenth of a cold start. */
export function childProcess(): typeof ChildProcess {
  return process.getBuiltinModule('node:child_process');
}
