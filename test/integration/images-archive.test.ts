// Saved images: ours are loaded by skopeo and podman, theirs by us, and the digests that can stay the same do.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import zlib from 'node:zlib';
import { inspectImage, removeImage, tagImage } from '../../src/images/catalogue.ts';
import { loadImages } from '../../src/images/load.ts';
import { readRecords, type ImageRecord } from '../../src/images/records.ts';
import { saveImages, saveLayout } from '../../src/images/save.ts';
import { openStore, type ImageStore } from '../../src/images/store.ts';
import { storeUsage } from '../../src/images/usage.ts';
import { DelosError } from '../../src/lib/errors.ts';
import { digestOf } from '../../src/registry/digest.ts';
import { tarEntry } from '../../src/tar/entry.ts';
import { tarEnd, tarHeader, tarPadding } from '../../src/tar/writer.ts';
import { imageOf, tarOf } from '../support/layer-image.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'skopeo');

function folderFor(context: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-archive-'));
  context.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function run(folder: string, command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const image = imageOf([tarOf({ one: randomBytes(300_000), 'etc/x': 'x' }), tarOf({ two: 'two' })], { config: { Cmd: ['/one'], Labels: { a: 'b' } } });

/** The files of a docker archive with the image. */
function dockerArchive(): Record<string, Buffer> {
  const names = image.layers.map((digest) => `${digest.slice(7)}/layer.tar`);
  const layers = image.layers.map((digest, index) => [names[index]!, zlib.gunzipSync(image.blobs.get(digest)!)] as const);
  const manifest = [{ Config: 'config.json', RepoTags: ['team/app:1', 'other:2'], Layers: names }];
  return { ...Object.fromEntries(layers), 'config.json': image.blobs.get(image.config)!, 'manifest.json': Buffer.from(JSON.stringify(manifest)) };
}

async function* archiveOf(files: Record<string, Buffer>): AsyncGenerator<Uint8Array> {
  for (const [name, content] of Object.entries(files)) {
    yield Buffer.concat([tarHeader(tarEntry({ name, size: content.length })), content, tarPadding(content.length)]);
  }
  yield tarEnd();
}

async function loaded(store: ImageStore): Promise<ImageRecord> {
  const [record] = await loadImages(store, archiveOf(dockerArchive()), 'the archive');
  return record!;
}

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('a docker archive gets its names, and comes back as it was', { skip: skipUnless('root') }, async (context) => {
  const store = openStore(folderFor(context));
  const record = await loaded(store);
  assert.deepEqual(record.tags, ['docker.io/team/app:1', 'docker.io/library/other:2']);
  assert.equal(record.id, image.config);
  const archive = await bytesOf(saveImages(store, ['team/app:1', 'other:2']));
  assert.deepEqual(await bytesOf(saveImages(store, ['team/app:1', 'other:2'])), archive, 'the same images, the same bytes');
  for (const packed of [archive, zlib.gzipSync(archive), zlib.zstdCompressSync(archive)]) {
    const other = openStore(folderFor(context));
    const [again] = await loadImages(other, Readable.from([packed]), 'the archive');
    assert.deepEqual({ ...again, added: '' }, { ...record, added: '' });
    await removeImage(other, record.id, { force: true });
    assert.equal((await storeUsage(other)).blobs, 0);
  }
});

test('skopeo and podman load what we save, as docker archive, as OCI archive and as a folder', { skip: skip || skipUnless('podman') }, async (context) => {
  const folder = folderFor(context);
  const store = openStore(path.join(folder, 'store'));
  const record = await loaded(store);
  fs.writeFileSync(path.join(folder, 'saved.tar'), await bytesOf(saveImages(store, ['team/app:1'])));
  await saveLayout(store, ['team/app:1'], path.join(folder, 'layout'));
  await assert.rejects(saveLayout(store, ['team/app:1'], path.join(folder, 'layout')), { code: 'exists' });
  for (const [index, source] of ['oci-archive:saved.tar', 'docker-archive:saved.tar', 'oci:layout:1'].entries()) {
    // A docker archive has no manifest whose digest could stay.
    const same = index === 1 ? [] : ['--preserve-digests'];
    run(folder, 'skopeo', 'copy', ...same, source, `oci:back${index}:x`);
    const [back] = await loadImages(store, { folder: path.join(folder, `back${index}`) }, 'back');
    assert.deepEqual(inspectImage(store, back!.id).config.diffIds, inspectImage(store, record.id).config.diffIds, source);
    if (index !== 1) assert.equal(back?.manifest, record.manifest, source);
  }
  const places = ['--root', path.join(folder, 'peer'), '--runroot', path.join(folder, 'peer-run'), '--storage-driver', 'vfs'];
  assert.match(run(folder, 'podman', ...places, 'load', '-q', '-i', 'saved.tar'), /team\/app:1/);
  assert.equal(run(folder, 'podman', ...places, 'image', 'inspect', '--format', '{{.Id}}', 'docker.io/team/app:1').trim(), record.id.slice(7));
  for (const format of ['docker-archive', 'oci-archive', 'oci-dir', 'docker-dir'].slice(0, 3)) {
    run(folder, 'podman', ...places, 'save', '-q', '--format', format, '-o', `podman-${format}`, 'docker.io/team/app:1');
    const saved = path.join(folder, `podman-${format}`);
    const source = fs.statSync(saved).isDirectory() ? { folder: saved } : fs.createReadStream(saved) as AsyncIterable<Buffer>;
    const [again] = await loadImages(openStore(path.join(folder, `store-${format}`)), source, saved);
    assert.deepEqual(
      inspectImage(openStore(path.join(folder, `store-${format}`)), again!.id).config.diffIds, inspectImage(store, record.id).config.diffIds, format,
    );
  }
});

test('archives that are none, or do not hold what they say, leave nothing', { skip: skipUnless('root') }, async (context) => {
  const good = dockerArchive();
  const layer = `${image.layers[0]!.slice(7)}/layer.tar`;
  const index = (digest: string): Buffer => Buffer.from(JSON.stringify({
    schemaVersion: 2, manifests: [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 3 }],
  }));
  const cases: [Record<string, Buffer>, string, RegExp][] = [
    [{}, 'bad-archive', /expected an index.json/], [{ 'manifest.json': Buffer.from('{}') }, 'bad-image', /expected a list/],
    [{ ...good, 'config.json': Buffer.from('{}') }, 'bad-image', /rootfs/],
    [{ ...good, [layer]: tarOf({ other: 'other' }) }, 'bad-image', /expected the diffID/],
    [{ 'manifest.json': Buffer.from('[{"Config":"../../etc/passwd","Layers":[]}]') }, 'bad-archive', /no file/],
    [{ 'index.json': index(digestOf('x')) }, 'bad-archive', /no file/],
    [{ 'index.json': index(digestOf('abc')), [`blobs/sha256/${digestOf('abc').slice(7)}`]: Buffer.from('abd') }, 'bad-image', /not what its name says/],
    [{ 'index.json': Buffer.alloc(5 << 20, ' ') }, 'bad-archive', /at most 4194304/],
  ];
  for (const [files, code, message] of cases) {
    const store = openStore(folderFor(context));
    await assert.rejects(loadImages(store, archiveOf(files), 'the archive'), (error) => {
      assert.ok(error instanceof DelosError && error.code === code && message.test(error.message) && !error.message.includes('\n'), String(error));
      return true;
    });
    assert.deepEqual(readRecords(store), []);
    for (const folder of ['layers', 'unpacking', 'leases', 'partial']) assert.deepEqual(fs.readdirSync(path.join(store.root, folder)), [], folder);
  }
  const small = loadImages(openStore(folderFor(context)), archiveOf(good), 'the archive', { limits: { layerBytes: 1000 } });
  await assert.rejects(small, { code: 'too-large' });
});

test('a name that moves on leaves its image without one', { skip: skipUnless('root') }, async (context) => {
  const store = openStore(folderFor(context));
  const record = await loaded(store);
  await tagImage(store, 'other:2', 'team/app:3');
  assert.deepEqual(inspectImage(store, 'team/app:3').record.manifest, record.manifest);
  await assert.rejects(removeImage(store, record.id.slice(7, 19)), { code: 'wrong-state', message: /several names \(team\/app:1, other:2, team\/app:3\)/ });
  assert.deepEqual((await removeImage(store, 'team/app:3')).removed, []);
});
