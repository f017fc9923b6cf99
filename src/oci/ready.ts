import { call } from '../plan/step.ts';
import { whileInitWaits } from './channel.ts';
import type { Build, Field } from './field.ts';
import { startFifo } from './start-fifo.ts';

/**
 * The container is built. Of one that is held, init says so, and the runtime calls it created; init goes on only when that is done,
 * so that a runtime killed before takes the container with it. Otherwise the program's execve says it: it closes init's end, and the
 * runtime reads the end of the channel; two bytes would be a refusal.
 */
export const ready: Field = {
  at: [],
  support: 'full',
  after: (build) =>
    build.request.held ? built(build).after : [call('read', [build.cells.runtimeEnd, build.cells.message, 8], 'the program runs', { want: 0 })],
  init: (build) => (build.request.held ? built(build).init : []),
};

function built(build: Build): ReturnType<typeof whileInitWaits> {
  const { folder } = build.request;
  const why = 'the container is built';
  return whileInitWaits(build, [call('rename', [startFifo(folder, 'making'), startFifo(folder, 'start')], why)], why);
}
