import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from './digest.ts';
import { compressionOf, parseManifest, selectPlatform, type Index } from './manifest.ts';
import { mediaTypes } from './media-types.ts';
import { formatPlatform, parsePlatform, platformMatch } from './platform.ts';

const blob = (mediaType: string): object => ({ mediaType, digest: digestOf(mediaType), size: 5 });
const parse = (json: object, mediaType?: string): ReturnType<typeof parseManifest> => parseManifest(Buffer.from(JSON.stringify(json)), mediaType, 'it');

test('manifests and indexes of both kinds, with a media type from inside, from outside, or none', () => {
  for (const [type, config, layer] of [
    [mediaTypes.ociManifest, mediaTypes.ociConfig, mediaTypes.ociLayerZstd], [mediaTypes.dockerManifest, mediaTypes.dockerConfig, mediaTypes.dockerLayerGzip],
  ] as const) {
    const json = { schemaVersion: 2, config: blob(config), layers: [blob(layer)], annotations: { a: 'b' } };
    for (const manifest of [parse({ ...json, mediaType: type }), parse(json, type), parse({ ...json, mediaType: type }, 'application/json')]) {
      assert.equal(manifest.mediaType, type);
      assert.deepEqual(manifest.kind === 'manifest' && [manifest.config.digest, manifest.layers.map(compressionOf), manifest.annotations], [
        digestOf(config), [layer.endsWith('zstd') ? 'zstd' : 'gzip'], { a: 'b' },
      ]);
    }
    assert.equal(parse(json).mediaType, mediaTypes.ociManifest);
  }
  assert.equal(parse({ manifests: [] }).kind, 'index');
});

test('what is one thing and says it is another is refused', () => {
  const config = blob(mediaTypes.ociConfig);
  for (const [json, type] of [
    [{ mediaType: mediaTypes.ociIndex, config, layers: [] }], [{ mediaType: mediaTypes.ociManifest, manifests: [] }], [{ config, layers: [], manifests: [] }],
    [{ mediaType: mediaTypes.ociManifest, config, layers: [] }, mediaTypes.ociIndex], [{ schemaVersion: 1 }], [{ mediaType: 'text/plain' }],
    [{ config }, mediaTypes.ociIndex], [{}],
    [{ config, layers: {} }], [{ config, layers: [{ ...config, size: 1.5 }] }], [{ config, layers: [{ ...config, digest: 'md5:x' }] }],
    [{ config, annotations: { a: 1 } }],
    [{ config, layers: Array.from({ length: 1001 }, () => config) }],
  ] as [object, string?][]) assert.throws(() => parse(json, type), { code: 'bad-image' }, JSON.stringify(json).slice(0, 100));
});

test('the best entry of an index for a platform', () => {
  const entry = (text: string, more = {}): object => {
    const { os, architecture, variant } = parsePlatform(text);
    return { ...blob(mediaTypes.ociManifest), digest: digestOf(text), platform: { os, architecture, ...(variant !== undefined && { variant }) }, ...more };
  };
  const index = parse({ manifests: [
    entry('linux/arm/v6'), entry('linux/arm/v7'), entry('linux/amd64'), entry('linux/arm64/v8'), entry('unknown/unknown'),
  ] }) as Index;
  for (const [wanted, found] of [
    ['linux/amd64', 'linux/amd64'], ['amd64', 'linux/amd64'], ['linux/arm/v7', 'linux/arm/v7'], ['linux/arm/v8', 'linux/arm/v7'], ['arm64', 'linux/arm64/v8'],
  ] as const) {
    const { digest } = selectPlatform(index, parsePlatform(wanted), 'it');
    assert.equal(digest, digestOf(found), wanted);
  }
  assert.throws(
    () => selectPlatform(index, parsePlatform('s390x'), 'it'), { code: 'no-image', message: /linux\/arm\/v6, linux\/arm\/v7, linux\/amd64, linux\/arm64$/ },
  );
  assert.throws(() => selectPlatform(index, parsePlatform('linux/arm/v5'), 'it'), { code: 'no-image' });
});

test('platforms as people write them', () => {
  assert.equal(formatPlatform(parsePlatform('x86_64')), 'linux/amd64');
  assert.equal(formatPlatform(parsePlatform('Linux/aarch64/v8')), 'linux/arm64');
  assert.equal(platformMatch(parsePlatform('arm'), parsePlatform('linux/arm/v7')), 1);
  for (const text of ['', '/', 'a/b/c/d', 'a b', 'linux/']) assert.throws(() => parsePlatform(text), { code: 'bad-usage' }, text);
});
