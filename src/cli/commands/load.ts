import fs from 'node:fs';
import path from 'node:path';
import { imageEvent } from '../../containers/events.ts';
import { loadImages } from '../../images/load.ts';
import type { ImageRecord } from '../../images/records.ts';
import { openStore } from '../../images/store.ts';
import { parsePlatform } from '../../registry/platform.ts';
import { familiarReference, parseReference } from '../../registry/reference.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { loadFlags } from './image-flags.ts';
import { readArchive } from './input-file.ts';

/** `delos load`. */
export async function run({ flags: { input = '-', platform }, globals }: Invocation<typeof loadFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const store = openStore(places.data);
  const isFolder = input !== '-' && fs.statSync(input, { throwIfNoEntry: false })?.isDirectory() === true;
  const source = isFolder ? { folder: path.resolve(input) } : readArchive(input);
  const images = await loadImages(store, source, input === '-' ? 'stdin' : input, platform === undefined ? {} : { platform: parsePlatform(platform) });
  for (const image of images) {
    imageEvent(places, 'load', image.id);
    process.stdout.write(loadedLines(image));
  }
  return 0;
}

function loadedLines({ id, tags }: ImageRecord): string {
  if (tags.length === 0) return `Loaded image ID: ${id}\n`;
  return tags.map((tag) => `Loaded image: ${familiarReference(parseReference(tag))}\n`).join('');
}
