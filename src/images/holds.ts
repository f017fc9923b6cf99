import fs from 'node:fs';
import path from 'node:path';
import { DelosError } from '../lib/errors.ts';
import { isDigest, type Digest } from '../registry/digest.ts';
import { namesIn, readIfThere, writeDurably } from './durable.ts';
import { readRecords, type ImageRecord } from './records.ts';
import { lockStore, type ImageStore } from './store.ts';

/** A container's claim to its image: the image's blobs and layers stay as long as it lasts, whatever becomes of the image's names. */
export interface Hold {
  /** The container's ID. */
  readonly owner: string;
  readonly image: ImageRecord;
}

const ownerForm = /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,200}$/;

function holdFile({ root }: ImageStore, owner: string): string {
  if (!ownerForm.test(owner)) throw new Error(`assertion: ${owner} is no container's ID`);
  return path.join(root, 'holds', owner);
}

/**
 * Holds an image for a container until {@link releaseImage}, also over the end of this process and of the machine.
 * @throws DelosError no-image when it was removed meanwhile
 */
export async function holdImage(store: ImageStore, owner: string, manifest: Digest): Promise<void> {
  using _ = await lockStore(store);
  const image = readRecords(store).find((record) => record.manifest === manifest);
  if (image === undefined) throw new DelosError('no-image', `the image ${manifest} is not there, or no more`);
  writeDurably(holdFile(store, owner), `${JSON.stringify(image)}\n`);
}

/** Gives it up. It may be given up twice. */
export function releaseImage(store: ImageStore, owner: string): void {
  fs.rmSync(holdFile(store, owner), { force: true });
}

/** All claims. */
export function readHolds(store: ImageStore): Hold[] {
  return namesIn(path.join(store.root, 'holds')).flatMap((owner) => {
    if (!ownerForm.test(owner)) return [];
    const text = readIfThere(holdFile(store, owner));
    if (text === undefined) return [];
    const image = JSON.parse(text) as ImageRecord;
    if (!isDigest(image.manifest)) throw new DelosError('io', `${holdFile(store, owner)}: expected the record of an image`);
    return [{ owner, image }];
  });
}
