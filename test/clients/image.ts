import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { makeBundle } from '../support/bundle.ts';

/** The tar of a root with busybox: what `podman import` takes, and the one layer of an image. */
export function rootTar(): Buffer {
  using bundle = makeBundle();
  return tar(bundle.rootfs);
}

/** The tar of an OCI image layout (image-layout.md) with one image of one layer, as `ctr images import` takes it. */
export function imageArchive(name: string, layer: Uint8Array): Buffer {
  using bundle = makeBundle();
  const layout = path.join(bundle.path, 'layout');
  fs.mkdirSync(path.join(layout, 'blobs/sha256'), { recursive: true });
  const blob = (content: Uint8Array | string): { digest: string; size: number } => {
    const hash = createHash('sha256').update(content).digest('hex');
    fs.writeFileSync(path.join(layout, 'blobs/sha256', hash), content);
    return { digest: `sha256:${hash}`, size: Buffer.byteLength(content) };
  };
  const layerBlob = blob(layer);
  const config = { architecture: 'amd64', os: 'linux', config: { Env: ['PATH=/bin'], Cmd: ['sh'] }, rootfs: { type: 'layers', diff_ids: [layerBlob.digest] } };
  const manifest = {
    schemaVersion: 2,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...blob(JSON.stringify(config)) },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layerBlob }],
  };
  const entry = { mediaType: 'application/vnd.oci.image.manifest.v1+json', ...blob(JSON.stringify(manifest)), annotations: { 'io.containerd.image.name': name } };
  fs.writeFileSync(path.join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  fs.writeFileSync(path.join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return tar(layout);
}

function tar(folder: string): Buffer {
  return execFileSync('tar', ['--create', '--directory', folder, '.'], { maxBuffer: 1 << 26 });
}
