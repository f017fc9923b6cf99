import { pauseContainer } from '../../runtime/pause.ts';
import type { OciInvocation } from './invocation.ts';

export async function run({ globals, positional: [id = ''] }: OciInvocation<readonly []>): Promise<number> {
  await pauseContainer(globals.root, id);
  return 0;
}
