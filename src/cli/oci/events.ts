import { DelosError } from '../../lib/errors.ts';
import { followEvents, statsLine } from '../../runtime/events.ts';
import type { OciInvocation } from './invocation.ts';
import { print } from './output.ts';
import type { eventsFlags } from './reporting-flags.ts';

export async function run({ globals: { root }, flags, positional: [id = ''] }: OciInvocation<typeof eventsFlags>): Promise<number> {
  const write = (line: string): void => print(`${line}\n`);
  if (flags.interval <= 0) throw new DelosError('bad-usage', `--interval: expected more than 0, found ${flags.interval} ms`);
  if (flags.stats) write(statsLine(root, id));
  else await followEvents({ root, id, intervalMs: flags.interval, write });
  return 0;
}
