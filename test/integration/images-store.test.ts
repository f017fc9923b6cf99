// The store under its own rules: what is needed stays, what is not goes, and nothing that is not verified is ever seen.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { ensureBlob, putBlob } from '../../src/images/blobs.ts';
import { inspectImage, listImages, pruneImages, removeImage, tagImage } from '../../src/images/catalogue.ts';
import { lockFile, tryLockFile } from '../../src/images/file-lock.ts';
import { collectGarbage } from '../../src/images/garbage.ts';
import { holdImage, releaseImage } from '../../src/images/holds.ts';
import { adoptImage } from '../../src/images/adopt.ts';
import { takeLease } from '../../src/images/lease.ts';
import { blobFile, openStore, partialFile, type ImageStore } from '../../src/images/store.ts';
import { storeUsage } from '../../src/images/usage.ts';
import { DelosError } from '../../src/lib/errors.ts';
import { digestOf, type Digest } from '../../src/registry/digest.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { imageOf, tarOf, type MadeImage } from '../support/layer-image.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root');

function storeFor(context: TestContext): ImageStore {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-store-'));
  context.after(() => fs.rmSync(root, { recursive: true, force: true }));
  return openStore(root);
}

async function add(store: ImageStore, image: MadeImage, name: string): Promise<void> {
  using lease = takeLease(store);
  await lease.add(image.digest, ...[...image.blobs.keys()] as Digest[]);
  for (const bytes of [...image.blobs.values(), image.manifest]) await putBlob(store, bytes);
  await adoptImage(store, lease, { manifest: image.digest }, [parseReference(name)]);
}

function counts({ root }: ImageStore): { blobs: number; layers: number } {
  return { blobs: fs.readdirSync(path.join(root, 'blobs/sha256')).length, layers: fs.readdirSync(path.join(root, 'layers')).length };
}

const base = tarOf({ base: 'base' });

test('shared layers are kept once, and go with the last image that has them', { skip }, async (context) => {
  const store = storeFor(context);
  const [one, two] = [imageOf([base, tarOf({ one: '1' })]), imageOf([base, tarOf({ two: '2' })])];
  await add(store, one, 'one');
  await add(store, two, 'two');
  assert.deepEqual(counts(store), { blobs: 7, layers: 3 });
  const { removed, untagged } = await removeImage(store, 'one');
  assert.deepEqual([removed.length, untagged], [4, ['docker.io/library/one:latest']]);
  assert.deepEqual(counts(store), { blobs: 4, layers: 2 });
  await removeImage(store, 'two');
  assert.deepEqual(counts(store), { blobs: 0, layers: 0 });
  await assert.rejects(removeImage(store, 'two'), { code: 'no-image' });
});

test('what a container holds is not removed, not by force, not by prune', { skip }, async (context) => {
  const store = storeFor(context);
  const image = imageOf([base]);
  await add(store, image, 'app');
  await holdImage(store, 'container1', image.digest);
  await assert.rejects(removeImage(store, 'app'), { code: 'wrong-state', message: /used by container container1/ });
  await removeImage(store, 'app', { force: true });
  await pruneImages(store, { all: true });
  assert.deepEqual(counts(store), { blobs: 3, layers: 1 });
  assert.deepEqual((await storeUsage(store)).reclaimable, 0);
  await assert.rejects(holdImage(store, 'container2', image.digest), { code: 'no-image' });
  releaseImage(store, 'container1');
  releaseImage(store, 'container1');
  assert.ok((await storeUsage(store)).reclaimable > 0);
  await collectGarbage(store);
  assert.deepEqual(counts(store), { blobs: 0, layers: 0 });
});

test('prune takes images without a name, and with all those that nobody holds', { skip }, async (context) => {
  const store = storeFor(context);
  const [one, two, three] = ['1', '2', '3'].map((text) => imageOf([tarOf({ text })])) as [MadeImage, MadeImage, MadeImage];
  await add(store, one, 'app');
  await add(store, two, 'app');
  await add(store, three, 'held');
  await holdImage(store, 'c', three.digest);
  assert.equal((await pruneImages(store)).removed.length, 4);
  assert.deepEqual(counts(store), { blobs: 6, layers: 2 });
  await tagImage(store, 'app', 'again');
  assert.deepEqual((await pruneImages(store, { all: true })).untagged.toSorted(), ['docker.io/library/again:latest', 'docker.io/library/app:latest']);
  assert.deepEqual(counts(store), { blobs: 3, layers: 1 });
});

test('a lease keeps what it names as long as its process lives', { skip }, async (context) => {
  const store = storeFor(context);
  const { digest } = await putBlob(store, Buffer.from('mine'));
  {
    using lease = takeLease(store);
    await lease.add(digest);
    await collectGarbage(store);
    assert.ok(fs.existsSync(blobFile(store, digest)));
  }
  const module = (name: string): string => JSON.stringify(path.resolve(import.meta.dirname, '../../src/images', name));
  const program = `import { takeLease } from ${module('lease.ts')}; import { openStore } from ${module('store.ts')};
    const lease = takeLease(openStore(${JSON.stringify(store.root)})); await lease.add('${digest}'); console.log('taken'); setInterval(() => lease, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  await collectGarbage(store);
  assert.ok(fs.existsSync(blobFile(store, digest)));
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.deepEqual((await collectGarbage(store)).removed, [digest]);
  assert.deepEqual(fs.readdirSync(path.join(store.root, 'leases')), []);
});

test('a blob whose beginning is there is asked for from there; one whose beginning is wrong, once more from the start', { skip }, async (context) => {
  const store = storeFor(context);
  const bytes = randomBytes(100_000);
  const blob = { mediaType: '', digest: digestOf(bytes), size: bytes.length };
  const starts: number[] = [];
  const origin = async function* rest(start: number): AsyncGenerator<Uint8Array> {
    starts.push(start);
    yield bytes.subarray(start);
  };
  for (const [begun, wanted] of [
    [bytes.subarray(0, 40_000), [40_000]], [randomBytes(40_000), [40_000, 0]], [Buffer.concat([bytes, bytes]), [0]], [bytes, [100_000]],
  ] as const) {
    starts.length = 0;
    fs.writeFileSync(partialFile(store, blob.digest), begun);
    assert.equal(await ensureBlob(store, blob, 'here', origin), 'fetched');
    assert.deepEqual(starts, wanted);
    assert.deepEqual(fs.readFileSync(blobFile(store, blob.digest)), bytes);
    assert.deepEqual(fs.readdirSync(path.join(store.root, 'partial')), []);
    fs.rmSync(blobFile(store, blob.digest));
  }
  const wrong = async function* other(): AsyncGenerator<Uint8Array> {
    yield randomBytes(100_000);
  };
  await assert.rejects(
    ensureBlob(store, blob, 'GET there', wrong), { code: 'registry', message: /^GET there: the content is not what its name says: expected sha256:/ },
  );
  assert.deepEqual([...fs.readdirSync(path.join(store.root, 'partial')), ...fs.readdirSync(path.join(store.root, 'blobs/sha256'))], []);
});

test('what dead processes left is swept: broken downloads after a week, half unpacked layers at once', { skip }, async (context) => {
  const store = storeFor(context);
  const [young, old, busy] = ['young', 'old', 'busy'].map((name) => partialFile(store, digestOf(name))) as [string, string, string];
  for (const file of [young, old, busy]) fs.writeFileSync(file, 'begun');
  const longAgo = new Date(Date.now() - 8 * 24 * 3600 * 1000);
  for (const file of [old, busy]) fs.utimesSync(file, longAgo, longAgo);
  using _ = tryLockFile(busy);
  const unpacking = path.join(store.root, 'unpacking');
  for (const name of ['dead', 'alive']) {
    fs.mkdirSync(path.join(unpacking, name, 'tree'), { recursive: true });
    fs.writeFileSync(path.join(unpacking, `${name}.lock`), '');
  }
  using _alive = tryLockFile(path.join(unpacking, 'alive.lock'));
  fs.writeFileSync(path.join(store.root, '.images.json.123'), 'half');
  await collectGarbage(store);
  assert.deepEqual(fs.readdirSync(path.join(store.root, 'partial')).toSorted(), [young, busy].map((file) => path.basename(file)).toSorted());
  assert.deepEqual(fs.readdirSync(unpacking).toSorted(), ['alive', 'alive.lock']);
  assert.ok(!fs.existsSync(path.join(store.root, '.images.json.123')));
});

test('a lock on a file that was renamed or removed meanwhile is not given', { skip }, async (context) => {
  const store = storeFor(context);
  const file = path.join(store.root, 'x');
  const first = tryLockFile(file)!;
  assert.equal(tryLockFile(file), undefined);
  let waited = 0;
  const waiting = lockFile(file, { whileWaiting: () => waited++ });
  fs.renameSync(file, `${file}.done`);
  using second = await waiting;
  assert.notEqual(fs.fstatSync(second.descriptor).ino, fs.fstatSync(first.descriptor).ino);
  assert.ok(waited > 0);
  await assert.rejects(lockFile(file, { signal: AbortSignal.timeout(20) }), { name: 'AbortError' });
  first[Symbol.dispose]();
});

test('another user than root has a store too: everything is his own, and folders without write permission go as well', { skip }, (context) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-user-'));
  context.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  fs.chownSync(folder, 65534, 65534);
  const source = path.join(folder, 'source');
  for (const name of ['image/closed/inside', 'image/open']) fs.mkdirSync(path.join(source, name), { recursive: true });
  fs.writeFileSync(path.join(source, 'image/closed/inside/file'), 'x');
  for (const name of ['closed/inside', 'closed']) fs.chmodSync(path.join(source, 'image', name), 0o555);
  spawnSync('tar', ['-C', path.join(source, 'image'), '-cf', path.join(source, 'layer.tar'), '.']);
  const layer = fs.readFileSync(path.join(source, 'layer.tar'));
  const image = imageOf([layer]);
  fs.writeFileSync(
    path.join(source, 'image.json'),
    JSON.stringify({ digest: image.digest, blobs: [...image.blobs.values(), image.manifest].map((bytes) => bytes.toString('base64')) }),
  );
  const module = (name: string): string => JSON.stringify(path.resolve(import.meta.dirname, '../../src', name));
  const program = `import fs from 'node:fs'; import { openStore } from ${module('images/store.ts')}; import { takeLease } from ${module('images/lease.ts')};
    import { putBlob } from ${module('images/blobs.ts')}; import { adoptImage } from ${module('images/adopt.ts')}; import { removeImage } from ${module('images/catalogue.ts')};
    import { parseReference } from ${module('registry/reference.ts')};
    const { digest, blobs } = JSON.parse(fs.readFileSync('${source}/image.json', 'utf8'));
    const store = openStore('${folder}/store');
    { using lease = takeLease(store); for (const blob of blobs) await putBlob(store, Buffer.from(blob, 'base64')); await adoptImage(
      store, lease, { manifest: digest }, [parseReference('a')],
    ); }
    const [layer] = fs.readdirSync('${folder}/store/layers');
    const { uid, mode } = fs.statSync('${folder}/store/layers/' + layer + '/tree/closed');
    await removeImage(store, 'a');
    console.log(uid, (mode & 0o777).toString(8), ...['layers', 'trash', 'blobs/sha256'].flatMap((name) => fs.readdirSync('${folder}/store/' + name)));`;
  fs.writeFileSync(path.join(source, 'program.mjs'), program);
  const { stdout, stderr } = spawnSync(
    process.execPath, [path.join(source, 'program.mjs')], { encoding: 'utf8', uid: 65534, gid: 65534, env: { PATH: process.env['PATH'], HOME: folder } },
  );
  assert.equal(stdout, '65534 555\n', stderr);
});

test('a blob that a crash of the machine cut short counts as absent, and is fetched again', { skip }, async (context) => {
  const store = storeFor(context);
  const image = imageOf([base]);
  await add(store, image, 'app');
  for (const digest of [image.digest, image.config, image.layers[0]!]) {
    fs.truncateSync(blobFile(store, digest), 3);
    if (digest !== image.layers[0]) assert.deepEqual([listImages(store), obtainable(store)], [[], false]);
    await add(store, image, 'app');
    assert.equal(digestOf(fs.readFileSync(blobFile(store, digest))), digest);
  }
  assert.deepEqual([listImages(store).length, obtainable(store)], [1, true]);
});

test('what no image had named when the machine crashed is not believed: a blob is read through, a layer unpacked anew', { skip }, async (context) => {
  const store = storeFor(context);
  const image = imageOf([base]);
  const [layerBlob, tree] = [image.layers[0]!, (): string => path.join(store.root, 'layers', fs.readdirSync(path.join(store.root, 'layers'))[0]!)];
  await add(store, image, 'app');
  const modes = (): number[] => [blobFile(store, layerBlob), path.join(tree(), 'layer.json')].map((file) => fs.statSync(file).mode & 0o777);
  assert.deepEqual(modes(), [0o400, 0o400], 'a named image is on the disk');

  // As after a crash: not marked, of another boot, of the right size, and torn.
  const record = JSON.parse(fs.readFileSync(path.join(tree(), 'layer.json'), 'utf8')) as object;
  fs.writeFileSync(path.join(tree(), 'layer.json'), JSON.stringify({ ...record, boot: 'another' }));
  fs.chmodSync(path.join(tree(), 'layer.json'), 0o600);
  fs.truncateSync(path.join(tree(), 'tree/base'));
  const whole = fs.readFileSync(blobFile(store, layerBlob));
  fs.writeFileSync(blobFile(store, layerBlob), Buffer.alloc(whole.length));
  fs.chmodSync(blobFile(store, layerBlob), 0o600);
  await add(store, image, 'app');
  assert.deepEqual(fs.readFileSync(blobFile(store, layerBlob)), whole);
  assert.equal(fs.readFileSync(path.join(tree(), 'tree/base'), 'utf8'), 'base');
  assert.deepEqual(modes(), [0o400, 0o400]);

  // Of this boot it is as the page cache has it: not unpacked twice.
  fs.chmodSync(path.join(tree(), 'layer.json'), 0o600);
  const { ino } = fs.statSync(tree());
  await add(store, image, 'app');
  assert.deepEqual([fs.statSync(tree()).ino, ...modes()], [ino, 0o400, 0o400]);
  // An empty record is what some file systems leave of one that was not synced.
  fs.chmodSync(path.join(tree(), 'layer.json'), 0o600);
  fs.truncateSync(path.join(tree(), 'layer.json'));
  await add(store, image, 'app');
  assert.notEqual(fs.statSync(tree()).ino, ino);
});

/** Whether all that running the image needs is there. */
function obtainable(store: ImageStore): boolean {
  try {
    return inspectImage(store, 'app').config.diffIds.length === 1;
  } catch (error) {
    assert.ok(error instanceof DelosError && error.code === 'no-image', String(error));
    return false;
  }
}
