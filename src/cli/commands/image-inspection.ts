import type { Places } from '../../containers/places.ts';
import { readBlob } from '../../images/blobs.ts';
import { inspectImage } from '../../images/catalogue.ts';
import { layerTrees } from '../../images/layers.ts';
import { openStore } from '../../images/store.ts';
import { familiarReference, parseReference } from '../../registry/reference.ts';

/** An image in docker's shape. @throws DelosError no-image, bad-image, bad-reference */
export function describeImage(places: Places, name: string): unknown {
  const store = openStore(places.data);
  const { record, manifest, config, size, containers } = inspectImage(store, name);
  const { platform, diffIds, history } = config;
  const familiar = (names: readonly string[]): string[] => names.map((text) => familiarReference(parseReference(text)));
  return {
    Id: record.id, RepoTags: familiar(record.tags), RepoDigests: familiar(record.digests), Parent: '', Comment: history.at(-1)?.comment ?? '',
    Created: config.created ?? '', Author: config.author ?? '',
    // As it is in the image: docker's inspect has the same fields.
    Config: (JSON.parse(readBlob(store, record.id).toString('utf8')) as { readonly config?: object }).config ?? {},
    Architecture: platform.architecture, ...(platform.variant !== undefined && { Variant: platform.variant }), Os: platform.os, Size: size,
    GraphDriver: { Name: 'overlay', Data: { LowerDir: layerTrees(store, diffIds).join(':') } },
    RootFS: { Type: 'layers', Layers: diffIds },
    Metadata: { LastTagTime: record.added },
    Descriptor: { mediaType: manifest.mediaType, digest: record.manifest },
    Containers: containers,
  };
}
