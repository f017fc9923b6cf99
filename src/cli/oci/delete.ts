import { deleteContainer } from '../../runtime/delete.ts';
import type { OciInvocation } from './invocation.ts';
import type { deleteFlags } from './lifecycle-flags.ts';

export async function run({ globals, flags, positional: [id = ''], log, caller }: OciInvocation<typeof deleteFlags>): Promise<number> {
  const { beforeHooks } = caller;
  const warnings = await deleteContainer(globals.root, id, { force: flags.force, ...(beforeHooks && { beforeHooks }) });
  for (const warning of warnings) log.warn(warning);
  return 0;
}
