import type { ImageDetails } from '../../images/catalogue.ts';
import { familiarReference, parseReference, type Reference } from '../../registry/reference.ts';
import { humanDuration } from '../../vocabulary/units.ts';

/** A line of `images`: an image under one of its names. An image without a name has one line. */
export interface ImageRow {
  readonly image: ImageDetails;
  /** With a tag, a digest or both; absent when it has no name. */
  readonly name?: Reference;
}

const NONE = '<none>';

/** @param withDigests a line for each digest too, as `--digests` shows them */
export function imageRows(images: readonly ImageDetails[], withDigests: boolean): ImageRow[] {
  return images.flatMap((image): ImageRow[] => {
    const digests = image.record.digests.map(parseReference);
    const tagged = image.record.tags.map(parseReference).flatMap((name): Reference[] => {
      const own = withDigests ? digests.filter((other) => isSameRepository(other, name)) : [];
      return own.length === 0 ? [name] : own.flatMap(({ digest }) => (digest === undefined ? [] : [{ ...name, digest }]));
    });
    const untagged = digests.filter((digest) => !tagged.some((name) => isSameRepository(name, digest)));
    // Without digests, those of one repository would be the same line again.
    const distinct = withDigests ? untagged : untagged.filter((name, at) => untagged.findIndex((other) => isSameRepository(name, other)) === at);
    const names = [...tagged, ...distinct];
    return names.length === 0 ? [{ image }] : names.map((name) => ({ image, name }));
  });
}

function isSameRepository(a: Reference, b: Reference): boolean {
  return a.domain === b.domain && a.path === b.path;
}

/** The name without its tag, as people use it; `<none>` without a name. */
export function repositoryText({ name }: ImageRow): string {
  if (name === undefined) return NONE;
  return familiarReference({ domain: name.domain, path: name.path, tag: 'latest' }).replace(/:latest$/, '');
}

export function tagText({ name }: ImageRow): string {
  return name?.tag ?? NONE;
}

export function digestText({ name }: ImageRow): string {
  return name?.digest ?? NONE;
}

/** `a=1,b=2` */
export function labelsText({ image }: ImageRow): string {
  return Object.entries(image.config.defaults.labels).map((pair) => pair.join('=')).join(',');
}

/** How long ago an image was made, as it says itself. */
export function createdSince(created: string | undefined): string {
  const at = Date.parse(created ?? '');
  return Number.isNaN(at) ? 'N/A' : `${humanDuration(Date.now() - at)} ago`;
}

export function createdAt(created: string | undefined): string {
  const at = Date.parse(created ?? '');
  return Number.isNaN(at) ? 'N/A' : `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}
