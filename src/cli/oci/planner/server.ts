import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultRoot } from '../../../runtime/store.ts';
import { net } from '../../../sys/builtin.ts';
import type { OciInvocation } from '../invocation.ts';
import type { plannerFlags } from '../lifecycle-flags.ts';
import { answer, reply } from './answer.ts';
import { buildOf, sameBuild } from './build.ts';
import { coldAnswer, encodeRequest, maxRequest, parseRequest, requestSize, type Build, type PlannerRequest } from './protocol.ts';
import { Seat } from './seat.ts';

/** A front sends its request as soon as it is connected. One that has stopped before must not keep the planner from ending. */
const requestMs = 10_000;

/** How long one that starts waits for the one that is there to make room: it does so for a newer build. */
const handoverMs = 1000;

/**
 * The warm planner: a Node process that answers the front (native/front.c), so that a container is started without starting
 * Node. It listens below the runtime's folder, for its own user only, and never touches a container itself: the front runs
 * the plan. It ends when it has been idle, when there is a newer build, and with SIGTERM; at once when another planner is there.
 */
export async function run({ flags, log, caller }: OciInvocation<typeof plannerFlags>): Promise<number> {
  const own = buildOf(import.meta.filename);
  const folder = defaultRoot();
  const seat = own && (Seat.take(folder) ?? await handedOver(folder, own));
  if (!own || !seat) {
    log.debug(`a planner listens below ${folder} already`);
    return 0;
  }
  // It must not keep anybody from unmounting the folder that it was started in.
  process.chdir('/');
  const server = net().createServer({ allowHalfOpen: true });
  const stop = (): void => {
    if (!server.listening) return;
    seat[Symbol.dispose]();
    server.close();
  };
  const idle = idleTimer(flags.idle, stop);
  server.on('connection', (connection) => {
    idle.refresh();
    receive(connection, async (asked) => {
      if (asked && sameBuild(asked.build, own)) return answer(connection, asked, caller.program);
      if (isOutdated(own, asked?.build)) stop();
      reply(connection, coldAnswer);
    });
  });
  server.listen({ fd: seat.listen() });
  await once(server, 'listening');
  log.debug(`planner listens at ${seat.socket}`);
  process.once('SIGTERM', stop).once('SIGINT', stop);
  await once(server, 'close');
  idle.clear();
  return 0;
}

/** Asks the planner that is there as a front of this build would, and takes its place if it ends of that. */
async function handedOver(folder: string, build: Build): Promise<Seat | undefined> {
  const request = encodeRequest({ build, cwd: '/', argv: ['planner'], env: {} });
  const connection = net().connect(`${folder}/planner.sock`, () => connection.end(request));
  connection.on('error', () => connection.destroy()).setTimeout(handoverMs, () => connection.destroy()).resume();
  await new Promise((resolve) => connection.once('close', resolve));
  for (const end = performance.now() + handoverMs; performance.now() < end; await sleep(20)) {
    const seat = Seat.take(folder);
    if (seat) return seat;
  }
  return undefined;
}

/** Whether the file this planner runs has been replaced, or that of somebody who asks is newer. */
function isOutdated(own: Build, theirs: Build | undefined): boolean {
  const now = buildOf(import.meta.filename);
  return !now || !sameBuild(now, own) || (theirs !== undefined && theirs.changed > own.changed);
}

/** Reads a request to its end and has it answered: as undefined, when it is none. One that is cut off has no answer. */
function receive(connection: Socket, respond: (asked: PlannerRequest | undefined) => Promise<void>): void {
  let received = Buffer.alloc(0);
  const cutOff = (): void => void connection.destroy();
  connection.on('error', cutOff).on('end', cutOff).setTimeout(requestMs, cutOff);
  connection.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    const asked = requestIn(received);
    if (asked === 'cut') return;
    connection.removeAllListeners('data').off('end', cutOff).setTimeout(0);
    // From here on its end says no more than that nobody waits: what was begun is finished.
    connection.resume();
    respond(asked).catch(() => connection.destroy());
  });
}

function requestIn(bytes: Uint8Array): PlannerRequest | 'cut' | undefined {
  try {
    const size = bytes.length > maxRequest ? 0 : requestSize(bytes) ?? Number.POSITIVE_INFINITY;
    return bytes.length < size ? 'cut' : parseRequest(bytes);
  } catch {
    return undefined;
  }
}

function idleTimer(idleMs: number | undefined, end: () => void): { refresh(): void; clear(): void } {
  if (!idleMs) return { refresh: () => undefined, clear: () => undefined };
  const timer = setTimeout(end, idleMs);
  return { refresh: () => void timer.refresh(), clear: () => clearTimeout(timer) };
}
