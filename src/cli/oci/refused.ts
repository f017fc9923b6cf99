import { DelosError } from '../../lib/errors.ts';
import { deleteContainer } from '../../runtime/delete.ts';
import { checkPlan } from '../../runtime/loaded-plan.ts';
import { EXEC_FAILED, FAILED } from './exit-codes.ts';
import type { OciInvocation } from './invocation.ts';
import type { refusedFlags } from './lifecycle-flags.ts';

/**
 * What an executor whose plan was refused becomes, when nobody else waits for its report: it reads the report out of the plan's
 * descriptor, and removes what there is of the container, unless that was there before (`exec`).
 */
export async function run({ globals, flags, positional: [id = '', plan = ''], log }: OciInvocation<typeof refusedFlags>): Promise<number> {
  try {
    checkPlan(Number(plan));
  } catch (error) {
    if (!(error instanceof DelosError)) throw error;
    log.error(error.message);
  }
  if (flags.keep) return EXEC_FAILED;
  for (const warning of await deleteContainer(globals.root, id, { force: true })) log.warn(warning);
  return FAILED;
}
