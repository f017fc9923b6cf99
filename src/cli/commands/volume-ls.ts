import type { Volume } from '../../containers/volumes.ts';
import { listVolumes } from '../../containers/volumes.ts';
import { volumeUsers } from '../../containers/volume-users.ts';
import { badFlag } from '../../everyday/refusal.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { listing, type Column } from '../../vocabulary/table.ts';
import { parseBoolean } from '../../vocabulary/units.ts';
import { placesOf, type globalFlags } from './context.ts';
import { hasLabel } from './image-filters.ts';
import type { volumeListFlags } from './volume-flags.ts';

interface Row extends Volume {
  readonly isUsed: boolean;
}

const columns: readonly Column<Row>[] = [
  { field: 'Driver', header: 'DRIVER', cell: () => 'local' },
  { field: 'Name', header: 'VOLUME NAME', cell: ({ name }) => name },
  { field: 'Scope', header: 'SCOPE', cell: () => 'local', extra: true },
  { field: 'Mountpoint', header: 'MOUNTPOINT', cell: ({ mountpoint }) => mountpoint, extra: true },
  { field: 'CreatedAt', header: 'CREATED AT', cell: ({ created }) => created, extra: true },
  { field: 'Labels', header: 'LABELS', cell: ({ labels }) => Object.entries(labels).map((pair) => pair.join('=')).join(','), extra: true },
];

const filters: Readonly<Record<string, (value: string) => (row: Row) => boolean>> = {
  dangling: (value) => {
    const wanted = parseBoolean(value);
    return ({ isUsed }) => isUsed !== wanted;
  },
  driver: (value) => () => value === 'local',
  label: (value) => ({ labels }) => hasLabel(labels, value),
  name: (value) => ({ name }) => name.includes(value),
};

function parseFilter(text: string): (row: Row) => boolean {
  const [name = '', ...value] = text.split('=');
  const filter = Object.hasOwn(filters, name) ? filters[name] : undefined;
  if (filter === undefined || value.length === 0) throw badFlag('filter', text, `expected one of ${Object.keys(filters).map((known) => `${known}=`).join(', ')}`);
  return filter(value.join('='));
}

/** `delos volume ls`. */
export async function run({ flags, globals }: Invocation<typeof volumeListFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const accepts = flags.filter.map(parseFilter);
  const users = flags.filter.some((text) => text.startsWith('dangling=')) ? await volumeUsers(places) : new Map();
  const rows = listVolumes(places).map((volume): Row => ({ ...volume, isUsed: users.has(volume.name) }));
  const shown = rows.filter((row) => accepts.every((accept) => accept(row)));
  process.stdout.write(listing(shown, columns, { format: flags.format, ...(flags.quiet && { quiet: 'Name' }) }));
  return 0;
}
