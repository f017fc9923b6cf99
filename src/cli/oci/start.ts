import { startContainer } from '../../runtime/start.ts';
import type { OciInvocation } from './invocation.ts';

export async function run({ globals, positional: [id = ''] }: OciInvocation<readonly []>): Promise<number> {
  await startContainer(globals.root, id);
  return 0;
}
