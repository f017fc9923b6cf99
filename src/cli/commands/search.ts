import { listImages } from '../../images/catalogue.ts';
import { openStore } from '../../images/store.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { listing, truncate, type Column } from '../../vocabulary/table.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { searchFlags } from './image-flags.ts';
import { imageRows, repositoryText, tagText, type ImageRow } from './image-rows.ts';

const DESCRIPTION_LETTERS = 45;

const columns: readonly Column<ImageRow>[] = [
  { field: 'Name', header: 'NAME', cell: repositoryText },
  { field: 'Tag', header: 'TAG', cell: tagText },
  { field: 'Description', header: 'DESCRIPTION', cell: (row, noTrunc) => (noTrunc ? description(row) : truncate(description(row), DESCRIPTION_LETTERS)) },
];

function description({ image }: ImageRow): string {
  return (image.config.defaults.labels['org.opencontainers.image.description'] ?? '').replace(/\s+/g, ' ');
}

/** `delos search`: the images that are here and have the term in a name or in their description. No registry is asked. */
export async function run({ flags, globals, positional: [term = ''] }: Invocation<typeof searchFlags, typeof globalFlags>): Promise<number> {
  const rows = imageRows(listImages(openStore(placesOf(globals).data)), false);
  const textOf = (row: ImageRow): string => `${repositoryText(row)}:${tagText(row)} ${description(row)}`.toLowerCase();
  const found = rows.filter((row) => row.name !== undefined && textOf(row).includes(term.toLowerCase()));
  process.stdout.write(listing(found.slice(0, Math.max(0, flags.limit)), columns, { format: flags.format, noTrunc: flags['no-trunc'] }));
  return 0;
}
