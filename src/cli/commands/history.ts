import { imageHistory, inspectImage, type HistoryRow } from '../../images/catalogue.ts';
import { openStore } from '../../images/store.ts';
import type { Digest } from '../../registry/digest.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { shortId } from '../../vocabulary/names.ts';
import { listing, truncate, type Column } from '../../vocabulary/table.ts';
import { decimalSize } from '../../vocabulary/units.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { historyFlags } from './image-flags.ts';
import { createdSince } from './image-rows.ts';

interface Row extends HistoryRow {
  /** Of the last step; what was there before has no ID of its own any more. */
  readonly id?: Digest;
}

const CREATED_BY_LETTERS = 45;

function columns(human: boolean): readonly Column<Row>[] {
  return [
    { field: 'ID', header: 'IMAGE', cell: ({ id }, noTrunc) => (id === undefined ? '<missing>' : noTrunc ? id : shortId(id.slice('sha256:'.length))) },
    { field: 'CreatedSince', header: human ? 'CREATED' : 'CREATED AT', cell: ({ created }) => (human ? createdSince(created) : created ?? 'N/A') },
    { field: 'CreatedAt', header: 'CREATED AT', cell: ({ created }) => created ?? 'N/A', extra: true },
    { field: 'CreatedBy', header: 'CREATED BY', cell: ({ createdBy = '' }, noTrunc) => oneLine(createdBy, noTrunc) },
    { field: 'Size', header: 'SIZE', cell: ({ size }) => (human ? decimalSize(size) : String(size)) },
    { field: 'Comment', header: 'COMMENT', cell: ({ comment = '' }) => oneLine(comment, true) },
  ];
}

function oneLine(text: string, noTrunc: boolean): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return noTrunc ? line : truncate(line, CREATED_BY_LETTERS);
}

/** `delos history`. */
export async function run({ flags, globals, positional: [name = ''] }: Invocation<typeof historyFlags, typeof globalFlags>): Promise<number> {
  const store = openStore(placesOf(globals).data);
  const { record: { id } } = inspectImage(store, name);
  const rows = imageHistory(store, name).map((row, at): Row => (at === 0 ? { ...row, id } : row));
  process.stdout.write(listing(rows, columns(flags.human), { format: flags.format, noTrunc: flags['no-trunc'], ...(flags.quiet && { quiet: 'ID' }) }));
  return 0;
}
