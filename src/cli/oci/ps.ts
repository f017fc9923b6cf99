import { DelosError } from '../../lib/errors.ts';
import { processIds, processTable } from '../../runtime/ps.ts';
import type { OciInvocation } from './invocation.ts';
import { print } from './output.ts';
import type { psFlags } from './reporting-flags.ts';

export function run({ globals: { root }, flags, positional }: OciInvocation<typeof psFlags>): Promise<number> {
  const [id = '', ...options] = positional;
  if (flags.format === 'json') print(pidList(processIds(root, id)));
  else if (flags.format === 'table') print(processTable(root, id, options));
  else throw new DelosError('bad-usage', `invalid format option: expected table or json, found ${JSON.stringify(flags.format)}`);
  return Promise.resolve(0);
}

/** What Go prints for a list: without elements it is null. */
function pidList(pids: readonly number[]): string {
  return `${pids.length === 0 ? 'null' : JSON.stringify(pids)}\n`;
}
