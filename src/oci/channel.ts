import { AF_UNIX, SOCK_CLOEXEC, SOCK_SEQPACKET } from '../abi/socket.ts';
import { call, type Item, type Step } from '../plan/step.ts';
import type { Build, Field } from './field.ts';

/** The channel between the runtime and init. When either dies, the other reads the end and gives up. */
export const channel: Field = {
  at: [],
  support: 'full',
  before: ({ cells }) => [call('socketpair', [AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, cells.channel], 'the runtime and init wait for each other')],
  after: ({ cells }) => [call('close', [cells.initEnd], 'only init has this end')],
  init: ({ cells }) => [call('close', [cells.runtimeEnd], 'only the runtime has this end')],
};

/** Init goes on once the runtime has come this far. */
export function runtimeLeads(why: string): Pick<Field, 'after' | 'init'> {
  return {
    after: (build) => [send(build, 'runtime', why)],
    init: (build) => [receive(build, 'init', why)],
  };
}

/** The runtime goes on once init has come this far. */
export function initLeads(why: string): Pick<Field, 'after' | 'init'> {
  return {
    after: (build) => [receive(build, 'runtime', why)],
    init: (build) => [send(build, 'init', why)],
  };
}

/** Steps of the runtime that need init to have come this far, and to wait for them. */
export function whileInitWaits(build: Build, steps: readonly Item[], why: string): { after: Item[]; init: Item[] } {
  return {
    after: [receive(build, 'runtime', why), ...steps, send(build, 'runtime', why)],
    init: [send(build, 'init', why), receive(build, 'init', why)],
  };
}

/** What a process that gives up does last, so that the other one hears of it: two bytes are a refusal. */
export function giveUp({ cells }: Build): Item[] {
  return [call('write', [cells.initEnd, '!', 2], 'the runtime hears of the refusal', { accept: { any: 'next' } }), call('exit_group', [1], 'refused')];
}

type Side = 'runtime' | 'init';

function end({ cells }: Build, side: Side): typeof cells.runtimeEnd {
  return side === 'runtime' ? cells.runtimeEnd : cells.initEnd;
}

function send(build: Build, side: Side, why: string): Step {
  return call('write', [end(build, side), '.', 1], why, { want: 1 });
}

function receive(build: Build, side: Side, why: string): Step {
  return call('read', [end(build, side), build.cells.message, 8], why, { want: 1 });
}
