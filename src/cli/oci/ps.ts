import { DelosError } from '../../lib/errors.ts';
import { processIds, processTable } from '../../runtime/ps.ts';
import type { OciInvocation } from './invocation.ts';
import { print } from './output.ts';
import type { psFlags } from './reporting-flags.ts';

export function run({ globals: { root }, flags, positional }: OciInvocation<typeof psFlags>): Promise<number> {
  const [id = '', ...options] = positional;
  if (flags.format === 'json') print(`${JSON.stringify(processIds(root, id))}\n`);
  else if (flags.format === 'table') print(processTable(root, id, options));
  else throw new DelosError('bad-usage', `invalid format option: expected table or json, found ${JSON.stringify(flags.format)}`);
  return Promise.resolve(0);
}
