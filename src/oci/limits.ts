import * as resource from '../abi/resource.ts';
import { rlimit64 } from '../abi/structs.ts';
import { record } from '../plan/block.ts';
import { call } from '../plan/step.ts';
import type { Field } from './field.ts';
import { writeFile } from './open.ts';

/** process.rlimits, set from outside: raising a hard limit needs CAP_SYS_RESOURCE, which init may not have any more. prlimit(2) */
export const rlimits: Field = {
  at: ['/process/rlimits'],
  support: 'full',
  after: ({ config, cells }) =>
    (config.process?.rlimits ?? []).map(({ type, soft, hard }, index) => {
      const number = resource[type as keyof typeof resource];
      return call('prlimit64', [cells.pid, number, record(rlimit64, { rlim_cur: soft, rlim_max: hard }), 0], `/process/rlimits/${index}`);
    }),
};

/** process.oomScoreAdj, from outside as well: lowering it needs CAP_SYS_RESOURCE. proc(5) */
export const oomScoreAdj: Field = {
  at: ['/process/oomScoreAdj'],
  support: 'full',
  after: (build) => {
    const score = build.config.process?.oomScoreAdj;
    return score === undefined ? [] : writeFile(build, build.cells.procPid, 'oom_score_adj', String(score), '/process/oomScoreAdj');
  },
};
