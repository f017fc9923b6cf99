import type { Invocation } from '../../vocabulary/flags.ts';
import { listing, truncate, type Column } from '../../vocabulary/table.ts';
import type { globalFlags } from './context.ts';
import type { nsFlags } from './flags.ts';
import { hostNamespaces, type HostNamespace } from './kernel-namespaces.ts';

const COMMAND_LETTERS = 40;

const columns: readonly Column<HostNamespace>[] = [
  { field: 'Inode', header: 'NS', cell: ({ inode }) => inode },
  { field: 'Type', header: 'TYPE', cell: ({ type }) => type },
  { field: 'Processes', header: 'NPROCS', cell: ({ processes }) => String(processes) },
  { field: 'Pid', header: 'PID', cell: ({ pid }) => String(pid) },
  { field: 'Depth', header: 'DEPTH', cell: ({ depth }) => String(depth) },
  { field: 'Command', header: 'COMMAND', cell: ({ command }, noTrunc) => (noTrunc ? command : truncate(command, COMMAND_LETTERS)) },
];

/** `delos ns`: the namespaces of this host. */
export async function run({ flags }: Invocation<typeof nsFlags, typeof globalFlags>): Promise<number> {
  process.stdout.write(listing(hostNamespaces(), columns, { format: flags.format, noTrunc: flags['no-trunc'] }));
  return 0;
}
