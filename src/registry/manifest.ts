import { DelosError } from '../lib/errors.ts';
import type { Digest } from './digest.ts';
import { Foreign } from './foreign.ts';
import { indexTypes, layerTypes, manifestTypes, mediaTypes } from './media-types.ts';
import { formatPlatform, platformMatch, type Platform } from './platform.ts';
import { shown } from './shown.ts';

/** A descriptor of the OCI image specification: what some bytes are, and how to know them. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** An image for one platform: its configuration and its layers, the lowest first. */
export interface Manifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly artifactType?: string;
  readonly subject?: Descriptor;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface IndexEntry extends Descriptor {
  readonly platform?: Platform;
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** An image for several platforms, or a list of referrers. */
export interface Index {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly manifests: readonly IndexEntry[];
}

// More layers than an overlay can stack, more platforms than there are, and no more than fit into 4 MiB anyway.
const mostLayers = 1000;
const mostManifests = 10_000;
const mostAnnotations = 10_000;

/**
 * A manifest or an index, docker's or OCI's.
 * @param mediaType what the registry said it is; what the document says itself must not differ
 * @param document what it is, for messages
 * @throws DelosError bad-image
 */
export function parseManifest(bytes: Uint8Array, mediaType: string | undefined, document: string): Manifest | Index {
  const json = Foreign.parse(bytes, document);
  if (json.get('schemaVersion').present && json.get('schemaVersion').integer() === 1) {
    throw new DelosError('bad-image', `${document} is of docker's schema 1, which is not supported: push the image again with a newer tool`);
  }
  const type = typeOf(json, mediaType, document);
  if (indexTypes.includes(type)) return { kind: 'index', mediaType: type, manifests: json.get('manifests').list(mostManifests).map(entry) };
  if (!manifestTypes.includes(type)) throw new DelosError('bad-image', `${document} is a ${shown(type)}: expected an image manifest or index`);
  const [artifactType, subject] = [json.get('artifactType').optionalString(), json.get('subject')];
  return {
    kind: 'manifest', mediaType: type, config: descriptor(json.get('config')), layers: json.get('layers').list(mostLayers).map(descriptor),
    ...(artifactType !== undefined && { artifactType }), ...(subject.present && { subject: descriptor(subject) }), annotations: annotations(json),
  };
}

/** Taking a manifest for an index, or the reverse, is a published attack (GHSA-77vh-xpmg-72qh): both say what they are, and only one is read. */
function typeOf(json: Foreign, given: string | undefined, document: string): string {
  const told = json.get('mediaType').optionalString();
  const [hasLayers, hasManifests] = [json.get('layers').present || json.get('config').present, json.get('manifests').present];
  if (hasLayers && hasManifests) throw new DelosError('bad-image', `${document} is both a manifest and an index`);
  const known = given !== undefined && [...indexTypes, ...manifestTypes].includes(given) ? given : undefined;
  if (told !== undefined && known !== undefined && told !== known) {
    throw new DelosError('bad-image', `${document} says it is a ${shown(told)}, the registry says a ${shown(known)}`);
  }
  const type = told ?? known ?? (hasManifests ? mediaTypes.ociIndex : mediaTypes.ociManifest);
  if (indexTypes.includes(type) ? hasLayers : hasManifests) throw new DelosError('bad-image', `${document} is not what its media type says, ${shown(type)}`);
  return type;
}

/** A descriptor at this place of a document. */
export function descriptor(json: Foreign): Descriptor {
  return { mediaType: json.get('mediaType').optionalString() ?? '', digest: json.get('digest').digest(), size: json.get('size').size() };
}

function entry(json: Foreign): IndexEntry {
  const [platform, artifactType] = [json.get('platform'), json.get('artifactType').optionalString()];
  return {
    ...descriptor(json), ...(platform.present && { platform: platformOf(platform) }),
    ...(artifactType !== undefined && { artifactType }), annotations: annotations(json),
  };
}

/** The platform of an index's entry or of an image's configuration. */
export function platformOf(json: Foreign): Platform {
  const variant = json.get('variant').optionalString();
  return {
    os: json.get('os').optionalString() ?? '', architecture: json.get('architecture').optionalString() ?? '',
    ...(variant !== undefined && variant !== '' && { variant }),
  };
}

function annotations(json: Foreign): Record<string, string> {
  return Object.fromEntries(json.get('annotations').entries(mostAnnotations).map(([name, value]) => [name, value.string()]));
}

/**
 * The entry of an index for a platform: the one that matches best, of equals the first.
 * @throws DelosError no-image, which lists the platforms that are there
 */
export function selectPlatform(index: Index, wanted: Platform, document: string): IndexEntry {
  const usable = index.manifests.filter(({ mediaType }) => mediaType === '' || manifestTypes.includes(mediaType));
  const ranked = usable.map((item) => ({ item, match: item.platform === undefined ? 0 : platformMatch(item.platform, wanted) }));
  const best = ranked.toSorted((a, b) => b.match - a.match)[0];
  if (best !== undefined && best.match > 0) return best.item;
  const [only] = usable;
  if (usable.length === 1 && only !== undefined && only.platform === undefined) return only;
  const there = [...new Set(usable.flatMap(({ platform }) => platform ?? []).map(formatPlatform))].filter((text) => !text.startsWith('unknown/'));
  throw new DelosError('no-image', `${document} has no image for ${formatPlatform(wanted)}, only for ${shown(there.join(', ') || 'nothing')}`);
}

/** Whether a layer can be unpacked here, and how it is packed. @throws DelosError bad-image for anything but layers */
export function compressionOf(layer: Descriptor): 'gzip' | 'zstd' | 'none' {
  const compression = Object.hasOwn(layerTypes, layer.mediaType) ? layerTypes[layer.mediaType] : undefined;
  if (compression === undefined) throw new DelosError('bad-image', `the layer ${layer.digest} is a ${shown(layer.mediaType)}, which is no layer of an image`);
  return compression;
}
