import { call } from '../plan/step.ts';
import { initLeads } from './channel.ts';
import type { Field } from './field.ts';

/**
 * The container is built. Of one that is held, init says so itself. Otherwise the program's execve says it: it closes init's end,
 * and the runtime reads the end of the channel; two bytes would be a refusal.
 */
export const ready: Field = {
  at: [],
  support: 'full',
  after: (build) =>
    build.request.held
      ? (initLeads('the container is built').after?.(build) ?? [])
      : [call('read', [build.cells.runtimeEnd, build.cells.message, 8], 'the program runs', { want: 0 })],
  init: (build) => (build.request.held ? (initLeads('the container is built').init?.(build) ?? []) : []),
};
