import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { member, readAll, type Read } from '../tar/testing/archive.ts';
import { overlayChanges } from './changes.ts';
import { compareTrees } from './compare.ts';
import { packLayer, type PackOptions } from './pack.ts';
import { Sandbox } from './testing/sandbox.ts';
import { treeLines } from './testing/tree-lines.ts';
import { unpackLayer } from './unpack.ts';

const mine = { whiteouts: 'apply', owners: process.geteuid?.() === 0 ? 'told' : 'mine' } as const;

async function packed(folder: string, options: PackOptions = {}): Promise<Read[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of packLayer(folder, options)) chunks.push(chunk);
  return readAll(Buffer.concat(chunks));
}

/** Some of everything that needs no privilege. */
function fill(folder: string): void {
  const at = (name: string): string => path.join(folder, name);
  fs.mkdirSync(at('d/sub'), { recursive: true });
  fs.writeFileSync(at('d/file'), 'contents');
  fs.writeFileSync(at('d/big'), Buffer.alloc(600_001, 'x'));
  fs.linkSync(at('d/file'), at('d/sub/hard'));
  fs.symlinkSync('../d/file', at('link'));
  fs.linkSync(at('link'), at('link2'));
  fs.writeFileSync(Buffer.from(`${folder}/byte\xff`, 'latin1'), '');
  fs.mkdirSync(at(`long/${'n'.repeat(200)}`), { recursive: true });
  fs.chmodSync(at('d/sub'), 0o1777);
  fs.utimesSync(at('d/file'), 1, 1_600_000_000.25);
  fs.lutimesSync(at('link'), -10, -10.5);
}

test('what is packed is unpacked the same, and gives the same bytes again', async () => {
  using from = new Sandbox();
  using to = new Sandbox();
  fill(from.inside);
  const { diffId } = await unpackLayer(packLayer(from.inside), to.inside, mine);
  assert.deepEqual([...treeLines(to.inside)], [...treeLines(from.inside)]);
  assert.deepEqual([...compareTrees(from.inside, to.inside, { contents: true })], []);
  const hash = createHash('sha256');
  for await (const chunk of packLayer(to.inside)) hash.update(chunk);
  assert.equal(`sha256:${hash.digest('hex')}`, diffId);
});

test('later times are clamped, owners are translated, the root is as told', async () => {
  using sandbox = new Sandbox();
  fs.writeFileSync(path.join(sandbox.inside, 'f'), '');
  const entries = await packed(sandbox.inside, { clampSeconds: 1000, owner: (uid, gid) => [uid + 5, gid + 6], root: false });
  const { uid = 0, gid = 0 } = { uid: process.getuid?.(), gid: process.getgid?.() };
  assert.deepEqual(entries.map((e) => [e.name, e.mtime, e.uid, e.gid]), [['f', { seconds: 1000, nanoseconds: 0 }, uid + 5, gid + 6]]);
  assert.deepEqual((await packed(sandbox.inside)).map(({ name }) => name), ['./', 'f']);
});

test('from a base only the changes are packed, and applied to it they give the tree', async () => {
  using base = new Sandbox();
  using tree = new Sandbox();
  fill(base.inside);
  await unpackLayer(packLayer(base.inside), tree.inside, mine);
  const at = (name: string): string => path.join(tree.inside, name);
  fs.rmSync(at('d/big'));
  fs.rmSync(at('long'), { recursive: true });
  fs.rmSync(at('link'));
  fs.mkdirSync(at('link'));
  fs.writeFileSync(at('link/new'), 'new');
  fs.writeFileSync(at('d/sub/other'), 'other');
  const entries = await packed(tree.inside, { base: base.inside });
  assert.deepEqual(entries.map(({ name }) => name), ['.wh.long', 'd/', 'd/.wh.big', 'd/sub/', 'd/sub/other', 'link/', 'link/new']);
  await unpackLayer(packLayer(tree.inside, { base: base.inside, root: true }), base.inside, mine);
  assert.deepEqual([...compareTrees(base.inside, tree.inside, { contents: true })], []);
});

test("overlayfs's marks become whiteouts, and whiteouts marks again", async () => {
  using layer = new Sandbox();
  using again = new Sandbox();
  const overlay = { whiteouts: 'overlay', overlayXattr: 'user' } as const;
  await layer.unpack([member({ name: '.wh.gone' }), member({ name: 'o', flag: '5' }), member({ name: 'o/.wh..wh..opq' }), member({ name: 'o/new' }, 'n')], overlay);
  const entries = await packed(layer.inside, { overlay: true });
  assert.deepEqual(entries.map(({ name, xattrs }) => [name, xattrs.size]), [['.wh.gone', 0], ['o/', 0], ['o/.wh..wh..opq', 0], ['o/new', 0]]);
  await unpackLayer(packLayer(layer.inside, { overlay: true }), again.inside, { ...mine, ...overlay });
  assert.deepEqual([...compareTrees(layer.inside, again.inside)].filter(({ path: name }) => name !== ''), []);
  assert.deepEqual([...overlayChanges(layer.inside, [])].map(({ kind, path: name }) => `${kind} ${name}`), ['D /gone', 'A /o', 'A /o/new']);
});

test('what would be a whiteout in a layer, or is in another layer, cannot be packed', async () => {
  using sandbox = new Sandbox();
  fs.writeFileSync(path.join(sandbox.inside, '.wh.x'), '');
  await assert.rejects(packed(sandbox.inside), { code: 'unsupported', message: '".wh.x" cannot be put into a layer: it would be a whiteout there' });
});

test('differences are told by what differs', async () => {
  using one = new Sandbox();
  using other = new Sandbox();
  for (const { inside } of [one, other]) {
    for (const name of ['same', 'mode', 'time', 'size', 'text', 'kind']) fs.writeFileSync(path.join(inside, name), 'abc');
    fs.mkdirSync(path.join(inside, 'folder'));
    fs.writeFileSync(path.join(inside, 'folder/x'), '');
  }
  const at = (name: string): string => path.join(other.inside, name);
  fs.writeFileSync(path.join(one.inside, 'removed'), '');
  fs.writeFileSync(at('added'), '');
  fs.writeFileSync(at('size'), 'abcd');
  fs.writeFileSync(at('text'), 'abd');
  fs.rmSync(at('kind'));
  fs.symlinkSync('abc', at('kind'));
  fs.rmSync(at('folder'), { recursive: true });
  fs.writeFileSync(at('folder'), '');
  for (const { inside } of [one, other]) for (const name of fs.readdirSync(inside)) if (name !== 'folder') fs.lutimesSync(path.join(inside, name), 1, 1);
  fs.utimesSync(at('time'), 2, 2);
  fs.chmodSync(at('mode'), 0o600);
  const told = (contents: boolean): string[] => [...compareTrees(one.inside, other.inside, { contents, except: ['owner'] })]
    .filter(({ path: name }) => name !== '').map(({ path: name, kind, aspects }) => [name, kind, ...aspects].join(' '));
  const quick = ['added added', 'folder changed type', 'kind changed type', 'mode changed mode', 'removed removed', 'size changed size', 'time changed time'];
  assert.deepEqual(told(false), quick);
  assert.deepEqual(told(true), [...quick.slice(0, 6), 'text changed contents', 'time changed time'].sort());
});
