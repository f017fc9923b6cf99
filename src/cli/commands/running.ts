import os from 'node:os';
import { settle } from '../../containers/end.ts';
import type { Container } from '../../containers/container.ts';
import { attachTo, type Attached } from '../../containers/attach.ts';
import type { Places } from '../../containers/places.ts';
import { removeFiles } from '../../containers/catalogue.ts';
import { buildContainer, type StartOptions } from '../../containers/start.ts';
import { readExit } from '../../containers/standing.ts';
import { awaitEnd } from '../../containers/watch.ts';
import { SIGKILL } from '../../abi/signal.ts';
import { killContainer } from '../../runtime/kill.ts';
import { DelosError } from '../../lib/errors.ts';
import { parseDetachKeys } from '../../vocabulary/detach-keys.ts';
import { ownCommand, warn } from './context.ts';

export interface RunningOptions {
  /** Pass signals to the container. */
  readonly sigProxy: boolean;
  readonly detachKeys: string;
  /** Pass stdin on to one that keeps it open. */
  readonly input: boolean;
  readonly pidFile?: string;
}

/**
 * Starts a container and leaves it to its monitor. One of `--rm` that cannot be started is removed.
 * @param options `again` when it is its supervisor who starts it
 */
export async function startDetached(places: Places, container: Container, options: Pick<StartOptions, 'pidFile' | 'again'> = {}): Promise<void> {
  await orRemove(places, container, async () => {
    const waiting = await buildContainer(places, container.id, {
      direct: false, detached: true, command: ownCommand(places), ...options,
    });
    await waiting.go();
  });
}

/**
 * Starts a container in the foreground and waits. Without a terminal it gets our own stdio and nothing is copied; with one the
 * monitor stands between, so that it can be left and found again; likewise one that goes on after its end by a restart policy.
 * @returns its exit code; 0 when the caller has detached
 */
export async function runForeground(places: Places, container: Container, options: RunningOptions): Promise<number> {
  return container.tty || container.restart !== undefined ? runAttached(places, container, options) : runDirect(places, container, options);
}

async function runDirect(places: Places, container: Container, options: RunningOptions): Promise<number> {
  const waiting = await orRemove(places, container, () => buildContainer(places, container.id, { direct: true, detached: false, command: ownCommand(places), ...pidFileOf(options) }));
  // From before the program begins until it is known how it ended: it may ask for a signal at once.
  using _ = options.sigProxy ? proxySignals(places, container) : undefined;
  await orRemove(places, container, waiting.go);
  const code = await waiting.monitor.ended();
  await concluded(places, container);
  return code;
}

async function runAttached(places: Places, container: Container, options: RunningOptions): Promise<number> {
  const detachKeys = parseDetachKeys(options.detachKeys);
  const waiting = await orRemove(places, container, () => buildContainer(places, container.id, { direct: false, detached: true, command: ownCommand(places), ...pidFileOf(options) }));
  using _ = options.sigProxy ? proxySignals(places, container) : undefined;
  const attachment = await attachTo(places, container, { input: options.input && container.openStdin, detachKeys });
  await orRemove(places, container, waiting.go);
  return concludeAttached(places, container, await attachment.done);
}

function pidFileOf({ pidFile }: RunningOptions): { pidFile?: string } {
  return pidFile === undefined ? {} : { pidFile };
}

/** The exit code of an attachment that is over. */
export async function concludeAttached(places: Places, container: Container, attached: Attached): Promise<number> {
  if (attached.kind === 'detached') return 0;
  const code = attached.kind === 'ended' ? attached.exitCode : await awaitEnd(places, container);
  await concluded(places, container);
  return code ?? 255;
}

/** Says so when memory was exhausted, and clears up. */
async function concluded(places: Places, container: Container): Promise<void> {
  if (readExit(places, container.id)?.oomKilled) warn(`container ${container.name} ran out of memory: the kernel has killed a process of it (see --memory)`);
  for (const line of await settle(places, container)) warn(line);
}

async function orRemove<T>(places: Places, container: Container, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (container.autoRemove) await removeFiles(places, container);
    throw error;
  }
}

/** Those that mean this process itself, or that no process can catch. */
const kept: ReadonlySet<string> = new Set(['SIGKILL', 'SIGSTOP', 'SIGCHLD', 'SIGPIPE', 'SIGWINCH', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGPROF', 'SIGURG',
  // Faults of this program: they must end it.
  'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGIOT', 'SIGSYS']);

/** How many times a container may be asked to end before it is killed, and how long until people are told so. */
const MOST_REQUESTS = 3;
const PATIENCE_MS = 1000;

/** Passes signals on to the container until it is disposed of. The third that asks it to end kills it: process 1 ignores what it does not handle. */
export function proxySignals(places: Places, { id }: Container): Disposable {
  let requests = 0;
  let hint: NodeJS.Timeout | undefined;
  const isRequest = (name: string): boolean => name === 'SIGINT' || name === 'SIGTERM';
  const handlers = Object.entries(os.constants.signals).filter(([name]) => !kept.has(name)).map(([name, number]) => {
    const forward = (): void => {
      if (isRequest(name)) requests++;
      const isEnough = isRequest(name) && requests >= MOST_REQUESTS;
      hint ??= isRequest(name) && process.stderr.isTTY ? setTimeout(() => warn(stillThere(name)), PATIENCE_MS) : undefined;
      killContainer(places.run, id, isEnough ? SIGKILL : number).catch((error: unknown) => {
        // It has ended meanwhile.
        if (!(error instanceof DelosError)) throw error;
      });
    };
    process.on(name, forward);
    return [name, forward] as const;
  });
  return {
    [Symbol.dispose]: () => {
      clearTimeout(hint);
      for (const [name, forward] of handlers) process.off(name, forward);
    },
  };
}

function stillThere(name: string): string {
  return `the container goes on after ${name}: its process 1 does not handle it (--init does); the third time kills it`;
}
