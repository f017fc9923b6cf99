import { spawn } from 'node:child_process';

/** A program that runs a guest. */
export interface Command {
  readonly argv: readonly string[];
}

/** One that did not come to its end is told of, and the others go on. */
export type Failed = (error: Error) => void;

/**
 * Starts a program and gives its stdout to `take` until that says true; then it is ended.
 * @param limitMs how long that may take
 * @param look at the process, before it is ended
 * @throws Error when it takes longer, or ends by itself
 */
export async function listen({ argv }: Command, take: (bytes: Buffer) => boolean, limitMs: number, look?: (pid: number) => void): Promise<void> {
  const [program = '', ...rest] = argv;
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let last = '';
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${argv.join(' ')}: nothing in ${limitMs / 1000} s: ${last}`)), limitMs);
      child.once('error', reject);
      child.once('close', () => reject(new Error(`${argv.join(' ')}: it has ended: ${last}`)));
      child.stderr.on('data', (bytes: Buffer) => (last = (last + bytes.toString('latin1')).slice(-500)));
      child.stdout.on('data', (bytes: Buffer) => {
        if (!take(bytes)) return;
        clearTimeout(timer);
        resolve();
      });
    });
    if (child.pid !== undefined) look?.(child.pid);
  } finally {
    child.kill('SIGKILL');
    if (child.pid !== undefined) await ended;
  }
}
