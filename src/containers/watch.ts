import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from './container.ts';
import { frame, FrameReader } from './frames.ts';
import { fileOf, type Places } from './places.ts';
import { standingOf } from './standing.ts';

const pollMs = 20;

/** A connection to the container's monitor, or nothing when it has none any more. native/clients.h */
export async function connectMonitor(places: Places, id: string): Promise<net.Socket | undefined> {
  let directory: number | undefined;
  try {
    directory = fs.openSync(fileOf(places, id), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    // The whole path can be longer than the 107 bytes of an address.
    const socket = net.connect(`/proc/self/fd/${directory}/attach`);
    await once(socket, 'connect');
    return socket.on('error', () => undefined);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  } finally {
    if (directory !== undefined) fs.closeSync(directory);
  }
}

/**
 * Waits until the container has ended and its end is written down.
 * @returns its exit code; nothing when `timeoutMs` have passed before
 */
export async function awaitEnd(places: Places, container: Container, timeoutMs?: number): Promise<number | undefined> {
  const deadline = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
  const told = await askMonitor(places, container.id, timeoutMs);
  if (told !== undefined) return told;
  // Time is up, or the monitor was killed; one that only ended just now has written the exit code down.
  for (;;) {
    const { status, exitCode } = standingOf(places, container);
    if (status === 'stopped' || status === 'restarting') return exitCode;
    if (performance.now() >= deadline) return undefined;
    await sleep(pollMs);
  }
}

async function askMonitor(places: Places, id: string, timeoutMs: number | undefined): Promise<number | undefined> {
  const socket = await connectMonitor(places, id);
  if (socket === undefined) return undefined;
  const limit = timeoutMs === undefined ? undefined : setTimeout(() => socket.destroy(), timeoutMs);
  const frames = new FrameReader();
  let exitCode: number | undefined;
  socket.on('data', (piece: Buffer) => {
    for (const received of frames.read(piece)) if (received.kind === 'end') ({ exitCode } = received);
  });
  socket.write(frame('w'));
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  clearTimeout(limit);
  return exitCode;
}
