import { command } from '../../vocabulary/flags.ts';
import { eventsFlags, listFlags, psFlags, specFlags, updateFlags } from './reporting-flags.ts';

export const events = command({
  name: 'events', summary: 'display container events: statistics, and what was killed for want of memory',
  usage: 'events [command options] <container-id>', flags: eventsFlags, positional: { min: 1, max: 1 }, load: () => import('./events.ts'),
});

export const features = command({
  name: 'features', summary: 'show the enabled features', usage: 'features', flags: [], positional: { min: 0, max: 0 },
  load: () => import('./features.ts'),
});

export const list = command({
  name: 'list', summary: 'list the containers of the given root', usage: 'list [command options]', flags: listFlags,
  positional: { min: 0, max: 0 }, load: () => import('./list.ts'),
});

export const ps = command({
  name: 'ps', summary: 'display the processes running inside a container', usage: 'ps [command options] <container-id> [ps options]', flags: psFlags,
  positional: { min: 1, max: Number.POSITIVE_INFINITY, stopAtFirst: true }, load: () => import('./ps.ts'),
});

export const spec = command({
  name: 'spec', summary: 'create a new specification file', usage: 'spec [command options]', flags: specFlags, positional: { min: 0, max: 0 },
  load: () => import('./spec.ts'),
});

export const update = command({
  name: 'update', summary: "change a container's limits", usage: 'update [command options] <container-id>', flags: updateFlags,
  positional: { min: 1, max: 1 }, load: () => import('./update.ts'),
});
