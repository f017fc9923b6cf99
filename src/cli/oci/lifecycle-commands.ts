import { command } from '../../vocabulary/flags.ts';
import { createFlags, deleteFlags, execFlags, killFlags, plannerFlags, refusedFlags, runFlags } from './lifecycle-flags.ts';

const oneContainer = { min: 1, max: 1 } as const;

export const create = command({
  name: 'create', summary: 'build a container up to the moment before its program', usage: 'create [command options] <container-id>',
  flags: createFlags, positional: oneContainer, load: () => import('./create.ts'),
});

export const run = command({
  name: 'run', summary: 'create a container, start it, and wait for it unless detached', usage: 'run [command options] <container-id>',
  flags: runFlags, positional: oneContainer, load: () => import('./run.ts'),
});

export const start = command({
  name: 'start', summary: 'run the program of a created container', usage: 'start <container-id>',
  flags: [], positional: oneContainer, load: () => import('./start.ts'),
});

export const state = command({
  name: 'state', summary: 'print the state of a container as JSON', usage: 'state <container-id>',
  flags: [], positional: oneContainer, load: () => import('./state.ts'),
});

export const kill = command({
  name: 'kill', summary: 'send a signal to the first process of a container', usage: 'kill [command options] <container-id> [signal]',
  flags: killFlags, positional: { min: 1, max: 2 }, load: () => import('./kill.ts'),
  examples: ['delos-oci kill web', 'delos-oci kill --all web KILL', 'delos-oci kill web 9'],
});

export const remove = command({
  name: 'delete', summary: 'delete what is left of a container', usage: 'delete [command options] <container-id>',
  flags: deleteFlags, positional: oneContainer, load: () => import('./delete.ts'),
});

export const planner = command({
  name: 'planner', summary: 'answer command lines from a warm process until it is idle', usage: 'planner [command options]',
  flags: plannerFlags, positional: { min: 0, max: 0 }, load: () => import('./planner/server.ts'),
  examples: ['delos-oci planner &', 'delos-oci planner --idle 60s'],
});

/** Not for people: see refused.ts. */
export const refused = command({
  name: 'refused', summary: 'tell of a refused plan', usage: 'refused <container-id> <descriptor>', hidden: true,
  flags: refusedFlags, positional: { min: 2, max: 2 }, load: () => import('./refused.ts'),
});

export const exec = command({
  name: 'exec', summary: 'run one more process in a container',
  usage: 'exec [command options] <container-id> <command> [arg...]  |  exec -p process.json <container-id>',
  flags: execFlags, positional: { min: 1, max: Number.POSITIVE_INFINITY, stopAtFirst: true }, load: () => import('./exec.ts'),
});

export const pause = command({
  name: 'pause', summary: 'make every process of a container stand still', usage: 'pause <container-id>',
  flags: [], positional: oneContainer, load: () => import('./pause.ts'),
});

export const resume = command({
  name: 'resume', summary: 'let the processes of a paused container go on', usage: 'resume <container-id>',
  flags: [], positional: oneContainer, load: () => import('./resume.ts'),
});

const anyWords = { min: 0, max: Number.POSITIVE_INFINITY, stopAtFirst: true } as const;

export const checkpoint = command({
  name: 'checkpoint', summary: 'not supported', usage: 'checkpoint', flags: [], positional: anyWords, load: () => import('./checkpoint.ts'),
});

export const restore = command({
  name: 'restore', summary: 'not supported', usage: 'restore', flags: [], positional: anyWords, load: () => import('./checkpoint.ts'),
});
