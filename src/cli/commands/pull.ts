import { imageEvent } from '../../containers/events.ts';
import type { Places } from '../../containers/places.ts';
import { pullImage } from '../../images/pull.ts';
import { openStore, type ImageStore } from '../../images/store.ts';
import { DelosError } from '../../lib/errors.ts';
import { openRepository } from '../../registry/client.ts';
import { parsePlatform } from '../../registry/platform.ts';
import { familiarReference, formatReference, parseReference, type Reference } from '../../registry/reference.ts';
import type { Invocation, Values } from '../../vocabulary/flags.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { pullFlags } from './image-flags.ts';
import { showProgress } from './transfer-progress.ts';

/** `delos pull`. */
export async function run({ flags, globals, positional: [name = ''] }: Invocation<typeof pullFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const store = openStore(places.data);
  const reference = parseReference(name);
  if (!flags['all-tags']) return pull(places, store, reference, flags);
  if (reference.digest !== undefined || /:[^/]*$/.test(name)) throw new DelosError('bad-usage', '--all-tags: expected a name without a tag');
  for (const tag of await tagsOf(reference)) await pull(places, store, { ...reference, tag }, flags);
  return 0;
}

async function tagsOf(reference: Reference): Promise<string[]> {
  using connection = await openRepository(reference);
  return (await connection.repository.tags()).toSorted();
}

async function pull(places: Places, store: ImageStore, reference: Reference, { platform, quiet }: Values<typeof pullFlags>): Promise<number> {
  const { domain, path, tag, digest } = reference;
  if (!quiet) process.stdout.write(`${digest ?? tag}: Pulling from ${domain}/${path}\n`);
  const { image, upToDate } = await pullImage(store, reference, {
    ...(platform !== undefined && { platform: parsePlatform(platform) }),
    ...(!quiet && { onProgress: showProgress(process.stderr) }),
  });
  imageEvent(places, 'pull', familiarReference(reference));
  if (!quiet) {
    const found = digest ?? image.index ?? image.manifest;
    process.stdout.write(`Digest: ${found}\nStatus: ${upToDate ? 'Image is up to date' : 'Downloaded newer image'} for ${familiarReference(reference)}\n`);
  }
  process.stdout.write(`${formatReference(reference)}\n`);
  return 0;
}
