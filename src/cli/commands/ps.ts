import { listContainers } from '../../containers/catalogue.ts';
import type { Container, Standing } from '../../containers/container.ts';
import { networksFolder, type Places } from '../../containers/places.ts';
import { standingOf } from '../../containers/standing.ts';
import { DelosError } from '../../lib/errors.ts';
import { allLeases } from '../../network/lease.ts';
import { portText, type PublishedPort } from '../../network/published-port.ts';
import { statusLine } from '../../everyday/status.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { shortId } from '../../vocabulary/names.ts';
import { listing, truncate, type Column } from '../../vocabulary/table.ts';
import { humanDuration } from '../../vocabulary/units.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { psFlags } from './flags.ts';

interface Row {
  readonly container: Container;
  readonly standing: Standing;
  /** Those that are published now. */
  readonly ports: readonly PublishedPort[];
}

const COMMAND_LETTERS = 20;

/** Without --all. */
const shownAnyway: ReadonlySet<Standing['status']> = new Set(['running', 'paused', 'restarting']);

const columns: readonly Column<Row>[] = [
  { field: 'ID', header: 'CONTAINER ID', cell: ({ container: { id } }, noTrunc) => (noTrunc ? id : shortId(id)) },
  { field: 'Image', header: 'IMAGE', cell: ({ container }) => container.image },
  { field: 'Command', header: 'COMMAND', cell: ({ container }, noTrunc) => commandText(container, noTrunc) },
  { field: 'RunningFor', header: 'CREATED', cell: ({ container }) => `${humanDuration(Date.now() - Date.parse(container.created))} ago` },
  { field: 'Status', header: 'STATUS', cell: ({ standing }) => statusLine(standing, Date.now()) },
  { field: 'Ports', header: 'PORTS', cell: ({ ports }) => ports.map(portText).join(', ') },
  { field: 'Names', header: 'NAMES', cell: ({ container }) => container.name },
  { field: 'CreatedAt', header: 'CREATED AT', cell: ({ container }) => container.created, extra: true },
  { field: 'State', header: 'STATE', cell: ({ standing }) => stateWord(standing), extra: true },
  { field: 'Labels', header: 'LABELS', cell: ({ container }) => Object.entries(container.labels).map((pair) => pair.join('=')).join(','), extra: true },
  { field: 'Pid', header: 'PID', cell: ({ standing }) => String(standing.pid), extra: true },
];

/** Docker's word for a state. */
export function stateWord({ status }: Standing): string {
  return status === 'stopped' ? 'exited' : status;
}

function commandText({ command }: Container, noTrunc: boolean): string {
  const text = command.join(' ').replace(/\s+/g, ' ');
  return `"${noTrunc ? text : truncate(text, COMMAND_LETTERS)}"`;
}

/** `delos ps`. */
export async function run({ flags, globals }: Invocation<typeof psFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const accepts = flags.filter.map(parseFilter);
  const last = flags.latest ? 1 : flags.last;
  const everything = flags.all || last > 0 || flags.filter.some((text) => /^(status|exited)=/.test(text));
  const rows = rowsOf(places)
    .filter((row) => everything || shownAnyway.has(row.standing.status))
    .filter((row) => accepts.every((accept) => accept(row)));
  const shown = last > 0 ? rows.slice(0, last) : rows;
  process.stdout.write(listing(shown, columns, { format: flags.format, noTrunc: flags['no-trunc'], ...(flags.quiet && { quiet: 'ID' }) }));
  return 0;
}

function rowsOf(places: Places): Row[] {
  const leases = allLeases(networksFolder(places));
  return listContainers(places).map((container) => {
    const ports = leases.filter((lease) => lease.container === container.id).flatMap((lease) => lease.ports);
    return { container, standing: standingOf(places, container), ports };
  });
}

type Accept = (row: Row) => boolean;

const filters: Readonly<Record<string, (value: string) => Accept>> = {
  id: (value) => ({ container }) => container.id.startsWith(value),
  name: (value) => ({ container }) => container.name.includes(value),
  ancestor: (value) => ({ container }) => container.image === value,
  status: (value) => ({ standing }) => stateWord(standing) === value,
  health: (value) => ({ standing: { health } }) => (health?.status ?? 'none') === value,
  exited: (value) => ({ standing }) => standing.status === 'stopped' && standing.exitCode === Number(value),
  label: (value) => ({ container: { labels } }) => {
    const [key = '', ...rest] = value.split('=');
    return Object.hasOwn(labels, key) && (rest.length === 0 || labels[key] === rest.join('='));
  },
};

function parseFilter(text: string): Accept {
  const [name = '', ...value] = text.split('=');
  const filter = Object.hasOwn(filters, name) ? filters[name] : undefined;
  if (filter === undefined || value.length === 0) {
    throw new DelosError('bad-usage', `invalid --filter '${text}': expected one of ${Object.keys(filters).map((known) => `${known}=`).join(', ')}`);
  }
  return filter(value.join('='));
}
