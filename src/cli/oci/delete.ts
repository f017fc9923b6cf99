import { deleteContainer } from '../../runtime/delete.ts';
import type { OciInvocation } from './invocation.ts';
import type { deleteFlags } from './lifecycle-flags.ts';

export async function run({ globals, flags, positional: [id = ''], log }: OciInvocation<typeof deleteFlags>): Promise<number> {
  for (const warning of await deleteContainer(globals.root, id, { force: flags.force })) log.warn(warning);
  return 0;
}
