// A real registry with skopeo, umoci, buildah and podman: we pull what they pushed, and they pull what we pushed.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { inspectImage, removeImage, tagImage } from '../../src/images/catalogue.ts';
import { namesIn } from '../../src/images/durable.ts';
import { readImageConfig } from '../../src/images/image.ts';
import { layerTrees } from '../../src/images/layers.ts';
import { obtainImage, pullImage } from '../../src/images/pull.ts';
import { pushImage } from '../../src/images/push.ts';
import { findImageRecord } from '../../src/images/records.ts';
import { openStore, type ImageStore } from '../../src/images/store.ts';
import { storeUsage } from '../../src/images/usage.ts';
import { openRepository } from '../../src/registry/client.ts';
import { digestOf } from '../../src/registry/digest.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { putManifest, uploadBlob } from '../../src/registry/upload.ts';
import { imageOf, tarOf, type MadeImage } from '../support/layer-image.ts';
import { startRegistry, type RegistryProcess } from '../support/registry-process.ts';
import { skipUnless } from '../support/skip.ts';
import { Readable } from 'node:stream';

const skip = skipUnless('root', 'docker-registry', 'skopeo', 'umoci');

function run(folder: string, command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

/** An OCI layout `oci:bb` of three layers, with links, a whiteout and a device, made by umoci. */
function makeLayout({ folder }: RegistryProcess): void {
  run(folder, 'umoci', 'init', '--layout', 'oci');
  run(folder, 'umoci', 'new', '--image', 'oci:bb');
  const steps: ((root: string) => void)[] = [
    (root) => {
      fs.mkdirSync(path.join(root, 'bin'));
      fs.copyFileSync('/bin/busybox', path.join(root, 'bin/busybox'));
      fs.symlinkSync('busybox', path.join(root, 'bin/sh'));
      fs.mkdirSync(path.join(root, 'etc'));
      fs.writeFileSync(path.join(root, 'etc/gone'), 'gone');
      run(root, 'mknod', 'null', 'c', '1', '3');
    },
    (root) => {
      fs.rmSync(path.join(root, 'etc/gone'));
      fs.writeFileSync(path.join(root, 'etc/new'), 'new');
      fs.linkSync(path.join(root, 'etc/new'), path.join(root, 'etc/newer'));
    },
    (root) => {
      fs.writeFileSync(path.join(root, 'big'), randomBytes(3 << 20));
      fs.chownSync(path.join(root, 'big'), 1000, 1001);
      fs.chmodSync(path.join(root, 'big'), 0o4711);
    },
  ];
  for (const [index, step] of steps.entries()) {
    run(folder, 'umoci', 'unpack', '--image', 'oci:bb', `bundle${index}`);
    step(path.join(folder, `bundle${index}`, 'rootfs'));
    run(folder, 'umoci', 'repack', '--image', 'oci:bb', `bundle${index}`);
  }
  run(
    folder, 'umoci', 'config', '--image', 'oci:bb', '--config.cmd', '/bin/sh', '--config.env', 'PATH=/bin', '--config.user', '1:2', '--config.volume', '/data',
  );
}

function storeIn({ folder }: RegistryProcess, name = 'store'): ImageStore {
  return openStore(path.join(folder, name));
}

/**
 * What a tree holds: a line for each file, with type, mode, owner, time and links, and the digests of the contents. umoci's layers have
 * no entry for the root folder, and overlayfs counts no links of folders.
 */
function treeOf(folder: string): string[] {
  const lines = run(folder, 'find', '.', '-mindepth', '1', '-printf', '%P %y %m %U:%G %T@ %l %n\\n').split('\n');
  const found = lines.map((line) => line.replace(/^(\S+ d .*) \d+$/, '$1'));
  const sums = run(folder, 'sh', '-c', 'find . -type f | sort | xargs -r sha256sum');
  return [...found.toSorted(), sums];
}

test('what skopeo pushed is pulled: digests, configuration, and files as umoci unpacks them', { skip }, async (context) => {
  const registry = await startRegistry(context);
  makeLayout(registry);
  for (const format of ['oci', 'v2s2']) {
    run(registry.folder, 'skopeo', 'copy', '--dest-tls-verify=false', '--format', format, 'oci:oci:bb', `docker://${registry.host}/team/bb:${format}`);
    const store = storeIn(registry, format);
    const { image, upToDate } = await pullImage(store, parseReference(`${registry.host}/team/bb:${format}`));
    assert.equal(upToDate, false);
    assert.equal(
      image.manifest, JSON.parse(run(registry.folder, 'skopeo', 'inspect', '--tls-verify=false', `docker://${registry.host}/team/bb:${format}`)).Digest,
    );
    const { config, manifest } = inspectImage(store, image.id.slice(7, 19));
    assert.deepEqual(config.defaults.cmd, ['/bin/sh']);
    assert.deepEqual([config.defaults.env, config.defaults.user, config.defaults.volumes], [['PATH=/bin'], '1:2', ['/data']]);
    assert.equal(manifest.layers.length, 3);
    assert.equal((await pullImage(store, parseReference(`${registry.host}/team/bb:${format}`))).upToDate, true);
    run(registry.folder, 'umoci', 'unpack', '--image', 'oci:bb', `judge-${format}`);
    const merged = path.join(registry.folder, `merged-${format}`);
    fs.mkdirSync(merged);
    run('/', 'mount', '-t', 'overlay', 'overlay', '-o', `lowerdir=${layerTrees(store, config.diffIds).join(':')}`, merged);
    try {
      assert.deepEqual(treeOf(merged), treeOf(path.join(registry.folder, `judge-${format}`, 'rootfs')));
    } finally {
      run('/', 'umount', merged);
    }
  }
});

const skipPush = skip || skipUnless('podman', 'buildah');

test('what we push is the same for skopeo, podman and buildah; what is there is mounted or left', { skip: skipPush }, async (context) => {
  const [registry, other] = [await startRegistry(context), await startRegistry(context)];
  makeLayout(registry);
  run(registry.folder, 'skopeo', 'copy', '--dest-tls-verify=false', 'oci:oci:bb', `docker://${registry.host}/bb:1`);
  const store = storeIn(registry);
  const { image } = await pullImage(store, parseReference(`${registry.host}/bb:1`));
  const phases = new Set<string>();
  for (const [name, chunkBytes] of [
    [`${registry.host}/a/copy:1`, undefined], [`${other.host}/copy:1`, 1 << 20], [`${other.host}/copy:2`, undefined],
  ] as const) {
    await tagImage(store, `${registry.host}/bb:1`, name);
    const digest = await pushImage(
      store, name, { onProgress: ({ phase }) => phases.add(`${name.slice(-1)}${phase}`), ...(chunkBytes !== undefined && { chunkBytes }) },
    );
    assert.equal(digest, image.manifest);
    assert.equal(JSON.parse(run(registry.folder, 'skopeo', 'inspect', '--tls-verify=false', `docker://${name}`)).Digest, image.manifest);
  }
  for (const phase of ['1mounted', '1uploading', '1done', '2exists']) assert.ok(phases.has(phase), phase);
  assert.ok(!phases.has('2uploading'));
  run(registry.folder, 'skopeo', 'copy', '--src-tls-verify=false', `docker://${other.host}/copy:1`, 'oci:back:bb');
  const places = ['--root', path.join(registry.folder, 'peer'), '--runroot', path.join(registry.folder, 'peer-run'), '--storage-driver', 'vfs'];
  run(registry.folder, 'podman', ...places, 'pull', '-q', '--tls-verify=false', `${other.host}/copy:1`);
  assert.equal(run(registry.folder, 'podman', ...places, 'image', 'inspect', '--format', '{{.Digest}}', `${other.host}/copy:1`).trim(), image.manifest);
  const container = run(registry.folder, 'buildah', ...places, 'from', `${other.host}/copy:1`).trim();
  run(registry.folder, 'buildah', ...places, 'commit', '-q', container, 'again');
  run(registry.folder, 'buildah', ...places, 'push', '-q', '--tls-verify=false', 'again', `docker://${other.host}/again:1`);
  const again = await pullImage(store, parseReference(`${other.host}/again:1`));
  assert.deepEqual(readImageConfig(store, again.image).diffIds.slice(0, 3), readImageConfig(store, image).diffIds);
});

test('one image of an index, by platform; policies', { skip }, async (context) => {
  const registry = await startRegistry(context);
  const arm = imageOf([tarOf({ arm: 'arm' })], { platform: { os: 'linux', architecture: 'arm64' } });
  const amd = imageOf([tarOf({ amd: 'amd' })], { platform: { os: 'linux', architecture: 'amd64' } });
  for (const image of [arm, amd]) await put(registry, image, image.digest);
  using connection = await openRepository(parseReference(`${registry.host}/multi`));
  const entry = ({ digest, manifest }: MadeImage, architecture: string): object => (
    { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: manifest.length, platform: { os: 'linux', architecture } });
  const index = Buffer.from(JSON.stringify({
    schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [entry(arm, 'arm64'), entry(amd, 'amd64')],
  }));
  await putManifest(connection.repository, '1', 'application/vnd.oci.image.index.v1+json', index);
  const store = storeIn(registry);
  const name = `${registry.host}/multi:1`;
  await assert.rejects(obtainImage(store, name, 'never'), { code: 'no-image', message: /not to be pulled/ });
  const wanted = { platform: { os: 'linux', architecture: 'arm64' } };
  assert.equal((await obtainImage(store, name, 'missing', wanted)).manifest, arm.digest);
  const before = registry.requests().length;
  assert.equal((await obtainImage(store, name, 'missing', wanted)).manifest, arm.digest);
  assert.equal((await obtainImage(store, name, 'never')).manifest, arm.digest);
  assert.equal(registry.requests().length, before, 'what is here is not asked for');
  const { manifest, index: chosenFrom, tags } = await obtainImage(store, name, 'missing', { platform: { os: 'linux', architecture: 'amd64' } });
  assert.deepEqual([manifest, chosenFrom, tags], [amd.digest, digestOf(index), [name]]);
  assert.equal(findImageRecord(store, name)?.manifest, amd.digest, 'the name went on to it');
  await assert.rejects(
    obtainImage(store, name, 'missing', { platform: { os: 'linux', architecture: 's390x' } }), { message: /only for linux\/arm64, linux\/amd64/ },
  );
});

async function put(registry: RegistryProcess, image: MadeImage, target: string, name = 'multi'): Promise<void> {
  using connection = await openRepository(parseReference(`${registry.host}/${name}`));
  for (const [digest, bytes] of image.blobs) {
    const source = { open: (start: number, end: number) => Readable.from([bytes.subarray(start, end)]) };
    await uploadBlob(connection.repository, { mediaType: '', digest: digest as `sha256:${string}`, size: bytes.length }, source);
  }
  await putManifest(connection.repository, target, 'application/vnd.oci.image.manifest.v1+json', image.manifest);
}

function bigImage(): MadeImage {
  return imageOf([0, 1, 2, 3].map((index) => tarOf({ [`layer${index}`]: randomBytes(2 << 20), shared: String(index) })));
}

const program = path.resolve(import.meta.dirname, '../support/pull-program.ts');

test('ten pulls at once, in one process and in ten: each blob is downloaded once', { skip }, async (context) => {
  const registry = await startRegistry(context);
  const [inOne, inTen] = [bigImage(), bigImage()];
  await put(registry, inOne, '1', 'one');
  await put(registry, inTen, '1', 'ten');
  const store = storeIn(registry);
  const pulled = await Promise.all(Array.from({ length: 10 }, () => pullImage(store, parseReference(`${registry.host}/one:1`))));
  assert.deepEqual(new Set(pulled.map(({ image }) => image.manifest)), new Set([inOne.digest]));
  const ids = await Promise.all(Array.from({ length: 10 }, () => outputOf(context, store, `${registry.host}/ten:1`)));
  assert.deepEqual(new Set(ids), new Set([`${inTen.config}\n`]));
  for (const [name, image] of [['one', inOne], ['ten', inTen]] as const) {
    for (const layer of image.layers) assert.equal(registry.requests('"GET ', `/${name}/blobs/${layer}`).length, 1, layer);
  }
  assert.deepEqual(await leftovers(store), []);
});

async function outputOf(context: TestContext, store: ImageStore, name: string): Promise<string> {
  const child = spawn(process.execPath, [program, store.root, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  context.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  const [code] = await once(child, 'close') as [number | null];
  assert.equal(code, 0);
  return output;
}

/** Files in the working folders. */
async function leftovers({ root }: ImageStore): Promise<string[]> {
  return ['partial', 'unpacking', 'leases', 'trash'].flatMap((folder) => fs.readdirSync(path.join(root, folder)).map((name) => `${folder}/${name}`));
}

test('a pull that is killed at any moment leaves nothing unverified, and the next one ends well and goes on where it was', { skip }, async (context) => {
  const registry = await startRegistry(context);
  const image = bigImage();
  await put(registry, image, '1', 'app');
  const name = `${registry.host}/app:1`;
  // How long a whole pull takes here, so that the kills fall into it.
  const begun = performance.now();
  await outputOf(context, storeIn(registry, 'measure'), name);
  const wholeMs = performance.now() - begun;
  let [interrupted, inTheMiddle] = [0, 0];
  for (let round = 0; round < 12; round++) {
    const store = storeIn(registry, `killed${round}`);
    const child = spawn(process.execPath, [program, store.root, name], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    await sleep(wholeMs * (0.5 + 0.05 * round));
    child.kill('SIGKILL');
    await ended;
    if (child.signalCode === 'SIGKILL') interrupted++;
    if (['partial', 'unpacking', 'blobs/sha256'].some((folder) => namesIn(path.join(store.root, folder)).length > 0)) inTheMiddle++;
    for (const hex of namesIn(path.join(store.root, 'blobs/sha256'))) {
      assert.equal(digestOf(fs.readFileSync(path.join(store.root, 'blobs/sha256', hex))), `sha256:${hex}`);
    }
    for (const layer of namesIn(path.join(store.root, 'layers'))) assert.ok(fs.existsSync(path.join(store.root, 'layers', layer, 'layer.json')));
    const { image: pulled } = await pullImage(store, parseReference(name));
    const trees = layerTrees(store, readImageConfig(store, pulled).diffIds);
    assert.deepEqual(trees.map((tree) => fs.readFileSync(path.join(tree, 'shared'), 'utf8')), ['3', '2', '1', '0']);
    await removeImage(store, name);
    assert.deepEqual(await leftovers(store), [], 'a dead process keeps nothing from being removed');
    assert.deepEqual(await storeUsage(store), { images: 0, held: 0, blobs: 0, layers: 0, partial: 0, reclaimable: 0 });
  }
  assert.ok(interrupted > 3 && inTheMiddle > 1, `only ${interrupted} of 12 pulls were killed in time, ${inTheMiddle} of them not too early`);
  context.diagnostic(`${interrupted} of 12 pulls were killed, ${inTheMiddle} with something in the store`);
});
