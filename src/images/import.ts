import { decompressed } from '../layers/decompress.ts';
import type { Platform } from '../registry/platform.ts';
import type { Reference } from '../registry/reference.ts';
import { commitImage } from './commit.ts';
import { changedConfig } from './config-change.ts';
import type { ImageRecord } from './records.ts';
import type { ImageStore } from './store.ts';

export interface ImportOptions {
  readonly names: readonly Reference[];
  /** Instructions of a Dockerfile: {@link changedConfig}. */
  readonly changes?: readonly string[];
  readonly comment?: string;
  readonly platform?: Platform;
  readonly created?: Date;
  readonly signal?: AbortSignal;
}

/**
 * Makes an image of one layer out of an archive of a root file system.
 * @param archive a tar, packed by gzip or zstd or not
 * @throws DelosError bad-usage for changes that cannot be made, bad-archive, too-large, io
 */
export async function importImage(store: ImageStore, archive: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<ImageRecord> {
  const { names, changes = [], comment, platform, created = new Date(), signal } = options;
  const config = changedConfig({}, changes);
  return commitImage(store, {
    layer: decompressed(archive), config, created, names, step: comment === undefined ? {} : { comment },
    ...(platform !== undefined && { platform }), ...(signal !== undefined && { signal }),
  });
}
