import { DelosError } from '../../lib/errors.ts';
import { containerState, type ContainerState } from '../../runtime/state.ts';
import { listRecords } from '../../runtime/store.ts';
import type { OciInvocation } from './invocation.ts';
import { print } from './output.ts';
import { alignColumns } from '../../vocabulary/table.ts';
import type { listFlags } from './reporting-flags.ts';

/** Containers whose record cannot be read are left out: one broken folder must not hide the others. */
export function run({ globals: { root }, flags }: OciInvocation<typeof listFlags>): Promise<number> {
  const { format, quiet } = flags;
  const records = listRecords(root).flatMap((entry) => ('record' in entry ? [entry.record] : []));
  if (quiet) print(records.map(({ id }) => `${id}\n`).join(''));
  else print(listing(records.map((record) => containerState(root, record)), format));
  return Promise.resolve(0);
}

/** @throws DelosError bad-usage for an unknown format */
export function listing(states: readonly ContainerState[], format: string): string {
  // What Go prints for a list without elements.
  if (format === 'json') return `${states.length === 0 ? 'null' : JSON.stringify(states)}\n`;
  if (format !== 'table') throw new DelosError('bad-usage', `invalid format option: expected table or json, found ${JSON.stringify(format)}`);
  const header = ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'];
  const rows = states.map(({ id, pid, status, bundle, created, owner }) => [id, String(pid), status, bundle, created, owner]);
  return alignColumns([header, ...rows], { minWidth: 12, padding: 3 });
}
