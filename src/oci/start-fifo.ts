import type { Request } from './field.ts';

/**
 * A held container's fifo, from which init reads one byte before it goes on to its program. Its name in the container's folder says
 * how far the container is, and changes at one stroke:
 *
 * - `making`: init is being built, and a byte would let it go too early;
 * - `start`: init is built, and waits for `start`;
 * - `started`: somebody has let it go.
 */
export type StartFifo = 'making' | 'start' | 'started';

/** Where it is, or would be, under one of its names. */
export function startFifo(folder: Request['folder'], name: StartFifo): string {
  return `${folder}/${name}`;
}
