import { DelosError } from '../../lib/errors.ts';
import { processIds, processTable } from '../../runtime/ps.ts';
import type { Invocation } from '../vocabulary/flags.ts';
import { containerRoot } from './container-root.ts';
import type { psFlags } from './reporting-flags.ts';

export function run({ globals, flags, positional }: Invocation<typeof psFlags>): Promise<number> {
  const [id = '', ...options] = positional;
  const root = containerRoot(globals);
  if (flags.format === 'json') process.stdout.write(`${JSON.stringify(processIds(root, id))}\n`);
  else if (flags.format === 'table') process.stdout.write(processTable(root, id, options));
  else throw new DelosError('bad-usage', `invalid format option: expected table or json, found ${JSON.stringify(flags.format)}`);
  return Promise.resolve(0);
}
