import { createHash } from 'node:crypto';
import { DelosError } from '../lib/errors.ts';
import { TarReader } from '../tar/reader.ts';
import { decompressed } from './decompress.ts';
import { DEFAULT_LAYER_LIMITS, type LayerLimits, type UnpackedLayer, type UnpackOptions } from './unpack-options.ts';
import { Unpacker } from './unpacker.ts';

/** Output that has to be there before its ratio to the input says anything. */
const RATIO_FROM = 64 * 1024 * 1024;

/**
 * Unpacks a layer: gzip, zstd or plain, told by its first bytes (OCI image specification, layer.md). Nothing outside `folder` is made,
 * changed or read, whatever names and links the layer has. Memory: some chunks, the folders' metadata, and with `apply` the names.
 * @param source the layer as it is in a registry; ended when this gives up
 * @param folder an existing folder that nobody else works in, by its real path. What is there stays; after an error it is half done, and the caller's to remove
 * @throws DelosError bad-archive, too-large, io, unsupported; errors of the source; what `signal` was aborted with
 */
export async function unpackLayer(source: AsyncIterable<Uint8Array>, folder: string, options: UnpackOptions): Promise<UnpackedLayer> {
  const limits = { ...DEFAULT_LAYER_LIMITS, ...options.limits };
  const hash = createHash('sha256');
  const count = { compressed: 0, size: 0 };
  const unpacker = new Unpacker(folder, options, limits);
  try {
    const reader = new TarReader(unpacker);
    for await (const chunk of decompressed(counted(source, count), true)) {
      options.signal?.throwIfAborted();
      count.size += chunk.length;
      checkSize(count, limits);
      hash.update(chunk);
      reader.push(chunk);
    }
    reader.finish();
    unpacker.finish();
    const { entries, opaqueRoot, skipped } = unpacker;
    return { diffId: `sha256:${hash.digest('hex')}`, size: count.size, compressedSize: count.compressed, entries, opaqueRoot, skipped };
  } finally {
    unpacker.close();
  }
}

async function* counted(source: AsyncIterable<Uint8Array>, count: { compressed: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    count.compressed += chunk.length;
    yield chunk;
  }
}

function checkSize({ compressed, size }: { compressed: number; size: number }, limits: LayerLimits): void {
  if (size > limits.bytes) throw new DelosError('too-large', `the layer is larger than ${limits.bytes} bytes when uncompressed`);
  if (size > RATIO_FROM && size > compressed * limits.ratio) {
    throw new DelosError('too-large', `the layer is compressed more than ${limits.ratio} times: ${compressed} bytes became ${size} so far`);
  }
}
