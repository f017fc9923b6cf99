// Layers that umoci, skopeo and buildah made we unpack as umoci does; layers that we made umoci unpacks as they were.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { compareTrees } from '../../src/layers/compare.ts';
import { packLayer } from '../../src/layers/pack.ts';
import { unpackLayer } from '../../src/layers/unpack.ts';
import type { UnpackOptions } from '../../src/layers/unpack-options.ts';
import { makeOddTree, must, setTimes } from '../support/odd-tree.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'umoci', 'skopeo', 'setcap', 'setfattr');
const top = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-umoci-'));
const at = (name: string): string => path.join(top, name);
const umoci = (...args: string[]): Buffer => must('umoci', args, { cwd: top });

/** An image of three layers: the odd tree; then files changed, removed, replaced by others; then a folder hidden and made anew. */
before(() => {
  if (skip !== false) return;
  umoci('init', '--layout', 'layout');
  umoci('new', '--image', 'layout:odd');
  umoci('unpack', '--image', 'layout:odd', 'bundle');
  const rootfs = at('bundle/rootfs');
  makeOddTree(rootfs);
  umoci('repack', '--refresh-bundle', '--image', 'layout:odd', 'bundle');
  must('sh', ['-ec', 'rm -r deep; rm bin/link; mkdir bin/link; echo in >bin/link/in; rm -r etc/empty; echo file >etc/empty; rm bin/tool; echo more >>etc/empty-file'], { cwd: rootfs });
  setTimes(rootfs);
  umoci('repack', '--refresh-bundle', '--image', 'layout:odd', 'bundle');
  must('sh', ['-ec', 'rm -r var/lib; mkdir -p var/lib/again; echo a >var/lib/again/a; ln var/lib/again/a var/lib/again/b; chown 55:66 etc; mkdir deep'], { cwd: rootfs });
  umoci('repack', '--refresh-bundle', '--image', 'layout:odd', 'bundle');
});
after(() => fs.rmSync(top, { recursive: true, force: true }));

interface Descriptor {
  digest: string;
}

function blob(layout: string, { digest }: Descriptor): string {
  return path.join(at(layout), 'blobs', digest.replace(':', '/'));
}

function json<T>(file: string): T {
  return JSON.parse(fs.readFileSync(file, 'utf8')) as T;
}

/** The layers of the one image of a layout, lowest first, with what their digests are to be. */
function layersOf(layout: string): { file: string; diffId: string | undefined }[] {
  const manifest = json<{ layers: Descriptor[]; config: Descriptor }>(blob(layout, json<{ manifests: [Descriptor] }>(path.join(at(layout), 'index.json')).manifests[0]));
  const config = json<{ rootfs: { diff_ids: string[] } }>(blob(layout, manifest.config));
  return manifest.layers.map((layer, index) => ({ file: blob(layout, layer), diffId: config.rootfs.diff_ids[index] }));
}

async function unpackAll(layout: string, into: string, options: UnpackOptions): Promise<void> {
  for (const { file, diffId } of layersOf(layout)) {
    const result = await unpackLayer(fs.createReadStream(file), into, options);
    assert.equal(result.diffId, diffId);
    assert.deepEqual(result.skipped, []);
  }
}

function same(one: string, other: string, but: readonly string[] = []): void {
  assert.deepEqual([...compareTrees(one, other, { contents: true })].map(({ path: name, kind, aspects }) => `${name}: ${kind} ${aspects.join()}`), but);
}

test('an image of umoci, layer upon layer: the same as umoci unpack', { skip }, async () => {
  umoci('unpack', '--image', 'layout:odd', 'judge');
  fs.mkdirSync(at('ours'));
  await unpackAll('layout', at('ours'), { whiteouts: 'apply' });
  same(at('judge/rootfs'), at('ours'));
});

test('the same as layers of an overlay mount', { skip }, async () => {
  const lowers: string[] = [];
  for (const [index, { file }] of layersOf('layout').entries()) {
    const into = at(`layer${index}`);
    fs.mkdirSync(into);
    await unpackLayer(fs.createReadStream(file), into, { whiteouts: 'overlay', lowers });
    lowers.unshift(into);
  }
  fs.mkdirSync(at('merged'));
  fs.mkdirSync(at('seen'));
  must('unshare', ['-m', 'sh', '-ec', `mount -t overlay overlay -o lowerdir=${lowers.join(':')} merged; cp -a merged/. seen`], { cwd: top });
  same(at('ours'), at('seen'));
});

for (const compression of ['gzip', 'zstd']) {
  test(`skopeo's copy of it with ${compression}`, { skip }, async () => {
    const name = `skopeo-${compression}`;
    must('skopeo', ['--insecure-policy', 'copy', '--dest-compress-format', compression, '--dest-compress', 'oci:layout:odd', `oci:${name}:odd`], { cwd: top });
    const into = at(`${name}-ours`);
    fs.mkdirSync(into);
    await unpackAll(name, into, { whiteouts: 'apply' });
    same(at('ours'), into);
  });
}

test('buildah puts the same tree into a layer', { skip: skip || skipUnless('buildah') }, async () => {
  const buildah = (...args: string[]): string => must('buildah', ['--root', at('store'), '--runroot', at('run'), '--storage-driver', 'vfs', ...args], { cwd: top }).toString().trim();
  const container = buildah('from', 'scratch');
  buildah('add', container, at('ours'), '/');
  buildah('commit', '--timestamp', '0', container, `oci:${at('buildah')}:odd`);
  fs.mkdirSync(at('buildah-ours'));
  await unpackAll('buildah', at('buildah-ours'), { whiteouts: 'apply' });
  umoci('unpack', '--image', 'buildah:odd', 'buildah-judge');
  // Its layers have no entry for the root: that keeps the time at which it was made here.
  same(at('buildah-judge/rootfs'), at('buildah-ours'), [': changed time']);
});

test('layers that we make umoci unpacks as the tree was', { skip }, async () => {
  umoci('init', '--layout', 'mine');
  umoci('new', '--image', 'mine:odd');
  fs.mkdirSync(at('first'));
  makeOddTree(at('first'));
  must('cp', ['-a', at('first'), at('second')]);
  must('sh', ['-ec', 'rm -r deep bin/tool; rm bin/link; mkdir bin/link; echo x >bin/link/x; rm -r etc/empty; echo f >etc/empty; echo n >new'], { cwd: at('second') });
  const layers = [packLayer(at('first')), packLayer(at('second'), { base: at('first'), root: true })];
  for (const [index, layer] of layers.entries()) {
    await fs.promises.writeFile(at(`layer${index}.tar`), layer);
    umoci('raw', 'add-layer', '--image', 'mine:odd', `layer${index}.tar`);
  }
  umoci('unpack', '--image', 'mine:odd', 'mine-judge');
  // The tar of Go's library takes an attribute without a value for none (etc has user.empty).
  same(at('second'), at('mine-judge/rootfs'), ['etc: changed xattrs']);
  const digest = createHash('sha256').update(fs.readFileSync(at('layer0.tar'))).digest('hex');
  assert.equal(layersOf('mine')[0]!.diffId, `sha256:${digest}`);
});
