import { DelosError } from '../../lib/errors.ts';
import { followEvents, statsLine } from '../../runtime/events.ts';
import type { Invocation } from '../vocabulary/flags.ts';
import { containerRoot } from './container-root.ts';
import type { eventsFlags } from './reporting-flags.ts';

export async function run({ globals, flags, positional: [id = ''] }: Invocation<typeof eventsFlags>): Promise<number> {
  const root = containerRoot(globals);
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  if (flags.interval <= 0) throw new DelosError('bad-usage', `--interval: expected more than 0, found ${flags.interval} ms`);
  if (flags.stats) write(statsLine(root, id));
  else await followEvents({ root, id, intervalMs: flags.interval, write });
  return 0;
}
