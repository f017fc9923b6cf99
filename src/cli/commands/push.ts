import fs from 'node:fs';
import { imageEvent } from '../../containers/events.ts';
import { pushImage } from '../../images/push.ts';
import { readRecords } from '../../images/records.ts';
import { blobFile, openStore, type ImageStore } from '../../images/store.ts';
import { DelosError } from '../../lib/errors.ts';
import { familiarReference, formatReference, parseReference, repositoryOf, type Reference } from '../../registry/reference.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { pushFlags } from './image-flags.ts';
import { showProgress } from './transfer-progress.ts';

/** `delos push`. */
export async function run({ flags, globals, positional: [name = ''] }: Invocation<typeof pushFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const store = openStore(places.data);
  const reference = parseReference(name);
  const wanted = flags['all-tags'] ? tagsHere(store, reference) : [reference];
  if (!flags.quiet) process.stdout.write(`The push refers to repository [${repositoryOf(reference)}]\n`);
  for (const target of wanted) {
    const whole = formatReference(target);
    const digest = await pushImage(store, whole, flags.quiet ? {} : { onProgress: showProgress(process.stderr, 'Pushed') });
    imageEvent(places, 'push', familiarReference(target));
    process.stdout.write(flags.quiet ? `${whole}\n` : `${target.tag}: digest: ${digest} size: ${fs.statSync(blobFile(store, digest)).size}\n`);
  }
  return 0;
}

/** @throws DelosError no-image when there is none */
function tagsHere(store: ImageStore, { domain, path }: Reference): Reference[] {
  const all = readRecords(store).flatMap(({ tags }) => tags.map(parseReference));
  const found = all.filter((other) => other.domain === domain && other.path === path).toSorted((a, b) => ((a.tag ?? '') < (b.tag ?? '') ? -1 : 1));
  if (found.length === 0) throw new DelosError('no-image', `no image of the repository ${repositoryOf({ domain, path })} is here`);
  return found;
}
