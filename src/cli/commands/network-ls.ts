import { networksFolder } from '../../containers/places.ts';
import { leasesOf } from '../../network/lease.ts';
import type { NetworkRecord } from '../../network/record.ts';
import { listNetworks } from '../../network/store.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { listing, type Column } from '../../vocabulary/table.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { networkListFlags } from './network-flags.ts';

interface Row {
  readonly record: NetworkRecord;
  readonly containers: number;
}

const columns: readonly Column<Row>[] = [
  { field: 'Name', header: 'NAME', cell: ({ record }) => record.name },
  { field: 'Driver', header: 'DRIVER', cell: ({ record }) => record.driver },
  { field: 'Device', header: 'DEVICE', cell: ({ record }) => record.device },
  { field: 'Subnets', header: 'SUBNETS', cell: ({ record: { four, six } }) => [four, six].flatMap((range) => range?.subnet ?? []).join(', ') },
  { field: 'Containers', header: 'CONTAINERS', cell: ({ containers }) => String(containers) },
  { field: 'CreatedAt', header: 'CREATED AT', cell: ({ record }) => record.created, extra: true },
  { field: 'Internal', header: 'INTERNAL', cell: ({ record }) => String(record.internal === true), extra: true },
  { field: 'Labels', header: 'LABELS', cell: ({ record }) => Object.entries(record.labels).map((pair) => pair.join('=')).join(','), extra: true },
];

/** `delos network ls`. */
export async function run({ flags, globals }: Invocation<typeof networkListFlags, typeof globalFlags>): Promise<number> {
  const folder = networksFolder(placesOf(globals));
  const rows = listNetworks(folder).map((record) => ({ record, containers: record.driver === 'bridge' ? leasesOf(folder, record.name).length : 0 }));
  process.stdout.write(listing(rows, columns, { format: flags.format, noTrunc: flags['no-trunc'], ...(flags.quiet && { quiet: 'Name' }) }));
  return 0;
}
