import { killContainer } from '../../runtime/kill.ts';
import { parseSignal } from '../vocabulary/signal.ts';
import type { OciInvocation } from './invocation.ts';
import type { killFlags } from './lifecycle-flags.ts';

export async function run({ globals, flags, positional: [id = '', signal = ''] }: OciInvocation<typeof killFlags>): Promise<number> {
  await killContainer(globals.root, id, parseSignal(signal || 'SIGTERM').number, { all: flags.all });
  return 0;
}
