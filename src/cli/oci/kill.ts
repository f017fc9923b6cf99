import { killContainer } from '../../runtime/kill.ts';
import { parseSignal } from '../../vocabulary/signal.ts';
import type { OciInvocation } from './invocation.ts';
import type { killFlags } from './lifecycle-flags.ts';

export async function run({ globals, flags, positional: [id = '', signal = ''] }: OciInvocation<typeof killFlags>): Promise<number> {
  // Signal 0 asks whether it is there, kill(2); runc takes it.
  const number = signal === '0' ? 0 : parseSignal(signal || 'SIGTERM').number;
  await killContainer(globals.root, id, number, { all: flags.all });
  return 0;
}
