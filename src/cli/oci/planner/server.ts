import fs from 'node:fs';
import type { Server, Socket } from 'node:net';
import path from 'node:path';
import { DelosError } from '../../../lib/errors.ts';
import { defaultRoot } from '../../../runtime/store.ts';
import { net } from '../../../sys/builtin.ts';
import type { OciInvocation } from '../invocation.ts';
import type { plannerFlags } from '../lifecycle-flags.ts';
import { answer } from './answer.ts';
import { maxRequest, requestSize } from './protocol.ts';

/**
 * The warm planner: a Node process that answers the front (native/front.c), so that a container is started without starting
 * Node. It listens below the runtime's folder, for its own user only, and never touches a container itself: the front runs
 * the plan. It ends when it has been idle, when the program it was started from has been replaced, and with SIGTERM.
 */
export async function run({ flags, log, caller }: OciInvocation<typeof plannerFlags>): Promise<number> {
  const socket = path.join(defaultRoot(), 'planner.sock');
  const server = net().createServer({ pauseOnConnect: false });
  const idle = idleTimer(flags.idle, () => server.close());
  const version = fs.statSync(import.meta.filename).mtimeMs;
  server.on('connection', (connection) => {
    idle.refresh();
    if (fs.statSync(import.meta.filename, { throwIfNoEntry: false })?.mtimeMs !== version) server.close();
    serve(connection, caller.program);
  });
  await listen(server, socket);
  log.debug(`planner listens at ${socket}`);
  const stop = (): void => void server.close();
  process.once('SIGTERM', stop).once('SIGINT', stop);
  await new Promise((resolve) => server.once('close', resolve));
  idle.clear();
  return 0;
}

/** A socket that is nobody's any more is replaced; one that answers is another planner's. */
async function listen(server: Server, socket: string): Promise<void> {
  fs.mkdirSync(path.dirname(socket), { recursive: true, mode: 0o700 });
  if (await answers(socket)) throw new DelosError('wrong-state', `a planner listens at ${socket} already`);
  fs.rmSync(socket, { force: true });
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
  } finally {
    process.umask(mask);
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net().connect(socket);
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false)).once('connect', () => probe.destroy());
  });
}

function serve(connection: Socket, program: string): void {
  let received = Buffer.alloc(0);
  connection.on('error', () => connection.destroy());
  connection.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    try {
      if (received.length > maxRequest) throw new Error('too large');
      if (received.length < (requestSize(received) ?? Number.POSITIVE_INFINITY)) return;
    } catch {
      connection.destroy();
      return;
    }
    connection.removeAllListeners('data');
    void answer(connection, received, program).catch(() => connection.destroy());
  });
}

function idleTimer(idleMs: number | undefined, end: () => void): { refresh(): void; clear(): void } {
  if (!idleMs) return { refresh: () => undefined, clear: () => undefined };
  const timer = setTimeout(end, idleMs);
  return { refresh: () => void timer.refresh(), clear: () => clearTimeout(timer) };
}
