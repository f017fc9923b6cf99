import fs from 'node:fs';
import path from 'node:path';
import { listContainers } from '../../containers/catalogue.ts';
import type { Container } from '../../containers/container.ts';
import { fileOf, volumesFolder, type Places } from '../../containers/places.ts';
import { standingOf } from '../../containers/standing.ts';
import { listImages } from '../../images/catalogue.ts';
import { hasBlob } from '../../images/blobs.ts';
import { partsOf } from '../../images/image.ts';
import { hasLayer, readLayer } from '../../images/layers.ts';
import { blobFile, openStore, type ImageStore } from '../../images/store.ts';
import { storeUsage } from '../../images/usage.ts';
import type { Digest } from '../../registry/digest.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { listing, type Column } from '../../vocabulary/table.ts';
import { decimalSize } from '../../vocabulary/units.ts';
import { placesOf, type globalFlags } from './context.ts';
import { treeBytes } from './disk-usage.ts';
import type { systemDfFlags } from './image-flags.ts';

/** A kind of things on the disk. */
interface Row {
  readonly type: string;
  readonly count: number;
  /** In use. */
  readonly active: number;
  readonly bytes: number;
  /** Of what is not in use. */
  readonly reclaimable: number;
}

const columns: readonly Column<Row>[] = [
  { field: 'Type', header: 'TYPE', cell: ({ type }) => type },
  { field: 'TotalCount', header: 'TOTAL', cell: ({ count }) => String(count) },
  { field: 'Active', header: 'ACTIVE', cell: ({ active }) => String(active) },
  { field: 'Size', header: 'SIZE', cell: ({ bytes }) => decimalSize(bytes) },
  { field: 'Reclaimable', header: 'RECLAIMABLE', cell: reclaimableText },
];

function reclaimableText({ bytes, reclaimable }: Row): string {
  return bytes === 0 ? decimalSize(reclaimable) : `${decimalSize(reclaimable)} (${Math.floor((100 * reclaimable) / bytes)}%)`;
}

/** `delos system df`. */
export async function run({ flags, globals }: Invocation<typeof systemDfFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const containers = listContainers(places);
  const rows = [await imagesRow(places), containersRow(places, containers), volumesRow(places, containers)];
  process.stdout.write(listing(rows, columns, { format: flags.format }));
  return 0;
}

async function imagesRow({ data }: Places): Promise<Row> {
  const store = openStore(data);
  const { images, held, blobs, layers, partial } = await storeUsage(store);
  const parts = new Set(listImages(store).filter(({ containers }) => containers.length > 0).flatMap(({ record }) => partsOf(store, record)));
  const used = [...parts].reduce((sum, digest) => sum + partBytes(store, digest), 0);
  const bytes = blobs + layers + partial;
  return { type: 'Images', count: images, active: held, bytes, reclaimable: Math.max(0, bytes - used) };
}

/** A digest is that of a blob, or the chain ID of a layer, or of a first layer both. */
function partBytes(store: ImageStore, digest: Digest): number {
  const blob = hasBlob(store, digest) ? fs.statSync(blobFile(store, digest)).size : 0;
  return blob + (hasLayer(store, digest) ? readLayer(store, digest).size : 0);
}

function containersRow(places: Places, containers: readonly Container[]): Row {
  const sized = containers.map((container) => ({ bytes: treeBytes(fileOf(places, container.id)), isActive: isActive(places, container) }));
  return {
    type: 'Containers', count: containers.length, active: sized.filter(({ isActive }) => isActive).length, bytes: total(sized),
    reclaimable: total(sized.filter(({ isActive }) => !isActive)),
  };
}

function isActive(places: Places, container: Container): boolean {
  const { status } = standingOf(places, container);
  return status === 'running' || status === 'paused';
}

function volumesRow(places: Places, containers: readonly Container[]): Row {
  const folder = volumesFolder(places);
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  const used = new Set(containers.flatMap(({ anonymousVolumes, flags }) => [...anonymousVolumes, ...namedIn(flags['volume'])]));
  const sized = names.map((name) => ({ bytes: treeBytes(path.join(folder, name)), isActive: used.has(name) }));
  return {
    type: 'Local Volumes', count: names.length, active: sized.filter(({ isActive }) => isActive).length, bytes: total(sized),
    reclaimable: total(sized.filter(({ isActive }) => !isActive)),
  };
}

/** The words before the first colon of `--volume`. */
function namedIn(volumes: unknown): string[] {
  return Array.isArray(volumes) ? volumes.map((text) => String(text).split(':')[0] ?? '') : [];
}

function total(sized: readonly { readonly bytes: number }[]): number {
  return sized.reduce((sum, { bytes }) => sum + bytes, 0);
}
