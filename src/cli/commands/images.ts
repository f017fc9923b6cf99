import { listImages } from '../../images/catalogue.ts';
import { openStore } from '../../images/store.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { shortId } from '../../vocabulary/names.ts';
import { listing, type Column } from '../../vocabulary/table.ts';
import { decimalSize } from '../../vocabulary/units.ts';
import { placesOf, type globalFlags } from './context.ts';
import { imageFilter, referenceFilter } from './image-filters.ts';
import type { imagesFlags } from './image-flags.ts';
import { createdAt, createdSince, digestText, imageRows, labelsText, repositoryText, tagText, type ImageRow } from './image-rows.ts';

function columns(withDigests: boolean): readonly Column<ImageRow>[] {
  return [
    { field: 'Repository', header: 'REPOSITORY', cell: repositoryText },
    { field: 'Tag', header: 'TAG', cell: tagText },
    { field: 'Digest', header: 'DIGEST', cell: digestText, extra: !withDigests },
    { field: 'ID', header: 'IMAGE ID', cell: ({ image: { record } }, noTrunc) => (noTrunc ? record.id : shortId(record.id.slice('sha256:'.length))) },
    { field: 'CreatedSince', header: 'CREATED', cell: ({ image }) => createdSince(image.config.created) },
    { field: 'CreatedAt', header: 'CREATED AT', cell: ({ image }) => createdAt(image.config.created), extra: true },
    { field: 'Size', header: 'SIZE', cell: ({ image }) => decimalSize(image.size) },
    { field: 'Containers', header: 'CONTAINERS', cell: ({ image }) => String(image.containers.length), extra: true },
    { field: 'Labels', header: 'LABELS', cell: labelsText, extra: true },
  ];
}

/** `delos images`. */
export async function run({ flags, globals, positional: [pattern] }: Invocation<typeof imagesFlags, typeof globalFlags>): Promise<number> {
  const store = openStore(placesOf(globals).data);
  const accepts = [...flags.filter.map((text) => imageFilter(store, text)), ...(pattern === undefined ? [] : [referenceFilter(pattern)])];
  const withDigests = flags.digests || flags.format?.includes('.Digest') === true;
  const rows = imageRows(listImages(store), withDigests).filter((row) => accepts.every((accept) => accept(row)));
  // An image with several names is one ID.
  const shown = flags.quiet ? rows.filter(({ image }, at) => rows.findIndex((row) => row.image === image) === at) : rows;
  process.stdout.write(listing(shown, columns(flags.digests), { format: flags.format, noTrunc: flags['no-trunc'], ...(flags.quiet && { quiet: 'ID' }) }));
  return 0;
}
