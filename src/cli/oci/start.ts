import { startContainer } from '../../runtime/start.ts';
import type { OciInvocation } from './invocation.ts';

export async function run({ globals, positional: [id = ''], caller }: OciInvocation<readonly []>): Promise<number> {
  await startContainer(globals.root, id, caller.beforeHooks);
  return 0;
}
