import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { digestOf, type Digest } from '../../src/registry/digest.ts';
import { mediaTypes } from '../../src/registry/media-types.ts';

/** An image made in memory: its blobs by their digests, and its manifest. */
export interface MadeImage {
  readonly blobs: Map<string, Buffer>;
  readonly manifest: Buffer;
  readonly digest: Digest;
  readonly layers: readonly Digest[];
  readonly config: Digest;
}

/** Files by their names; the values are their contents. */
export type Files = Readonly<Record<string, string | Buffer>>;

/** The archive that tar(1) makes of some files, the same each time. */
export function tarOf(files: Files): Buffer {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-tar-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      fs.writeFileSync(path.join(folder, name), content);
    }
    const { stdout, status } = spawnSync(
      'tar', ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '-C', folder, '-c', '.'], { maxBuffer: 1 << 30 },
    );
    if (status !== 0) throw new Error('tar failed');
    return stdout;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

export interface ImageSettings {
  /** Put into the configuration in place of what is right. */
  readonly diffIds?: readonly string[];
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly config?: object;
}

/** An image of these layers, gzipped, the lowest first. */
export function imageOf(layers: readonly Buffer[], settings: ImageSettings = {}): MadeImage {
  const packed = layers.map((tar) => zlib.gzipSync(tar, { level: 1 }));
  const config = Buffer.from(JSON.stringify({
    ...(settings.platform ?? { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch }), config: settings.config ?? { Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: settings.diffIds ?? layers.map(digestOf) },
  }));
  const describe = (bytes: Buffer, mediaType: string): object => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
  const manifest = Buffer.from(JSON.stringify({
    schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: describe(config, mediaTypes.ociConfig),
    layers: packed.map((bytes) => describe(bytes, mediaTypes.ociLayerGzip)),
  }));
  return {
    blobs: new Map([config, ...packed].map((bytes) => [digestOf(bytes), bytes])), manifest, digest: digestOf(manifest), layers: packed.map(digestOf),
    config: digestOf(config),
  };
}
