import { bytes } from '../plan/block.ts';
import { call, type Item } from '../plan/step.ts';
import type { Build, Field } from './field.ts';
import { bitmap } from './scheduling.ts';

/** process.execCPUAffinity: the processors while the process joins its cgroup, and those after it. sched_setaffinity(2) */
export const initialAffinity: Field = {
  at: ['/process/execCPUAffinity'],
  support: 'full',
  init: (build) => affinity(build, 'initial'),
};

export const finalAffinity: Field = {
  at: [],
  support: 'full',
  init: (build) => affinity(build, 'final'),
};

function affinity({ config }: Build, which: 'initial' | 'final'): Item[] {
  const list = config.process?.execCPUAffinity?.[which];
  if (list === undefined) return [];
  const mask = bitmap(list);
  return [call('sched_setaffinity', [0, mask.length, bytes(mask, list)], `/process/execCPUAffinity/${which}`)];
}
