/**
 * Mutated texts of what registries and archives send, and of what says where registries are: each must be read, or be refused by a
 * DelosError of one line. Usage: node fuzz/images.ts [--seconds N] [--seed N]. On a find it prints seed, error and text, and exits with 1.
 */
import { parseImageConfig } from '../src/images/config.ts';
import { DelosError } from '../src/lib/errors.ts';
import { parseChallenges } from '../src/registry/challenge.ts';
import { digestOf } from '../src/registry/digest.ts';
import { parseManifest } from '../src/registry/manifest.ts';
import { mediaTypes } from '../src/registry/media-types.ts';
import { parsePlatform } from '../src/registry/platform.ts';
import { familiarReference, formatReference, parseReference } from '../src/registry/reference.ts';
import { parseRegistryRules } from '../src/registry/registries-conf.ts';
import { pick, randomFrom, type Random } from '../test/fixtures/seccomp-profile.ts';
import { campaign } from './support/campaign.ts';

interface Subject {
  readonly texts: readonly string[];
  read(text: string): void;
}

const digest = digestOf('x');
const blob = { mediaType: mediaTypes.ociLayerGzip, digest, size: 5, annotations: { a: 'b' } };
const config = {
  os: 'linux', architecture: 'amd64', variant: 'v1', created: '2020', rootfs: { type: 'layers', diff_ids: [digest, digest] },
  history: [{ created_by: 'x', empty_layer: true }],
  config: {
    Entrypoint: ['/a'], Cmd: ['b'], Env: ['A=b'], User: '0:0', WorkingDir: '/', Volumes: { '/v': {} }, ExposedPorts: { '80/tcp': {} }, StopSignal: 'SIGTERM',
    Labels: { a: 'b' },
    Healthcheck: { Test: ['NONE'], Interval: 1, Retries: 1 }, Shell: ['sh'], OnBuild: ['x'],
  },
};

const subjects: readonly Subject[] = [
  {
    texts: ['alpine', 'localhost:5000/a/b__c:t', `[::1]:80/x-y.z@${digest}`, 'UPPER.example/a:T_1', `docker.io/library/a:b@${digest}`],
    read(text) {
      const reference = parseReference(text);
      for (const again of [formatReference(reference), familiarReference(reference)]) {
        if (formatReference(parseReference(again)) !== formatReference(reference)) throw new Error(`${again} is another reference`);
      }
    },
  },
  { texts: ['linux/amd64', 'arm64', 'linux/arm/v7'], read: (text) => void parsePlatform(text) },
  {
    texts: ['Bearer realm="https://a/t",service="s",scope="repository:a:pull"', 'Basic realm="a \\"b\\"", Negotiate, Bearer realm=x'],
    read: (text) => void parseChallenges(text),
  },
  {
    texts: [
      { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: blob, layers: [blob, blob], subject: blob, annotations: { a: 'b' } },
      {
        schemaVersion: 2, mediaType: mediaTypes.ociIndex,
        manifests: [{ ...blob, platform: { os: 'linux', architecture: 'arm', variant: 'v7' }, artifactType: 'a/b' }],
      },
    ].map((json) => JSON.stringify(json)),
    read(text) {
      for (const type of [undefined, mediaTypes.ociIndex, mediaTypes.dockerManifest]) parseManifest(Buffer.from(text), type, 'the manifest');
    },
  },
  { texts: [JSON.stringify(config)], read: (text) => void parseImageConfig(Buffer.from(text), 'the configuration') },
  {
    texts: [[
      'unqualified-search-registries = ["a"]', '[[registry]]', 'prefix = "a.example/b"', "location = 'c'", 'insecure = true', '[[registry.mirror]]',
      'location = "d" # e', '[aliases]', '"x" = "y/x"', 't = { a = 1 }', '',
    ].join('\n')],
    read: (text) => void parseRegistryRules(text, 'registries.conf'),
  },
];

const pieces = [
  '', '{', '}', '[', ']', '[[', '"', '\\', '\0', '\u202e', '\n', ':', '/', '@', '.', '=', ',', '-1', '1e400', '9007199254740993', 'null', 'true', '{}', '[]',
  '"__proto__"', '"../"', 'sha256:',
] as const;

function mutated(text: string, random: Random): string {
  const at = random(text.length + 1);
  if (random(3) > 0) return text.slice(0, at) + pick(random, pieces) + text.slice(at + random(8));
  const from = random(text.length + 1);
  return text.slice(0, at) + text.slice(from, from + random(100)) + text.slice(at);
}

function tryOne(seed: number): void {
  const random = randomFrom(seed);
  const subject = pick(random, subjects);
  let text = pick(random, subject.texts);
  for (let left = random(6); left >= 0; left--) text = mutated(text, random);
  try {
    subject.read(text);
  } catch (error) {
    if (error instanceof DelosError && /^[^\p{Cc}\u2028\u2029]{1,1000}$/u.test(error.message)) return;
    throw new Error(`of ${JSON.stringify(text)}`, { cause: error });
  }
}

await campaign('images', (runs) => `${runs} texts: each read, or a DelosError`, tryOne);
