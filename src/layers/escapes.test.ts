// One test for each way out of the folder that was ever published for an unpacker of archives or of layers. Each asserts, in
// Sandbox.unpack(), that nothing outside was made, changed, linked to or removed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { header, member, octal, pax } from '../tar/testing/archive.ts';
import { Sandbox } from './testing/sandbox.ts';

const file = (name: string, data = 'evil'): Buffer => member({ name }, data);
const folder = (name: string): Buffer => member({ name, flag: '5', mode: '0000755\0' });
const link = (name: string, target: string): Buffer => member({ name, flag: '2', link: target });
const hardLink = (name: string, target: string): Buffer => member({ name, flag: '1', link: target });

test('`..` that leads out is refused (CVE-2001-1267, zip slip)', async () => {
  for (const name of ['../outside/evil', '../../../outside/secret', 'x/../../outside/evil', '..', './..', '/..', '/../../outside/evil', 'a/b/../../../evil']) {
    using sandbox = new Sandbox();
    await sandbox.refuses([file(name)], /leads out of its root/);
  }
});

test('`..` that stays inside is taken by its name', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([file('x/../y/./z//w', 'good')]);
  assert.deepEqual(sandbox.files, { y: '/', 'y/z': '/', 'y/z/w': 'good' });
});

test('an absolute name counts from the root (CVE-2002-0399)', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([file(`${sandbox.outside}/secret`), file('//etc/passwd', 'p')]);
  assert.equal(fs.readFileSync(path.join(sandbox.inside, sandbox.outside, 'secret'), 'utf8'), 'evil');
  assert.equal(sandbox.files['etc/passwd'], 'p');
});

test('a file through a link that leads out lands inside (CVE-2018-1002200, CVE-2019-14271; docker CVE-2014-9356)', async () => {
  for (const target of ['../../../outside', '/outside', '../../../../../../../outside', '/../outside']) {
    using sandbox = new Sandbox();
    await sandbox.unpack([link('x', target), file('x/secret')]);
    assert.equal(sandbox.files['outside/secret'], 'evil');
  }
});

test('a file through a link to an existing folder of the host lands inside', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([link('x', sandbox.outside), file('x/secret'), file('x/folder/file')]);
  assert.equal(sandbox.files['x'], `-> ${sandbox.outside}`);
  assert.equal(fs.readFileSync(path.join(sandbox.inside, sandbox.outside, 'folder/file'), 'utf8'), 'evil');
});

test('a file over a link replaces the link, not its target (CVE-2018-20834)', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([link('x', '../../../outside/secret'), file('x')]);
  assert.deepEqual(sandbox.files, { x: 'evil' });
});

test('a chain of links is followed inside only (CVE-2021-32803, CVE-2021-37701)', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([folder('d'), link('d/up', '..'), link('l', 'd/up/../../..'), link('m', 'l/outside'), file('m/evil')]);
  assert.equal(sandbox.files['outside/evil'], 'evil');
});

test('links in a circle are refused', async () => {
  using sandbox = new Sandbox();
  await sandbox.refuses([link('x', 'y'), link('y', 'x'), file('x/f')], /cannot be entered: openat2: ELOOP/);
  await sandbox.refuses([link('p', 'p/q'), file('p/f')], /ELOOP|too many links/);
});

test('a folder that is swapped for a link between two files (CVE-2021-32804, CVE-2021-37712)', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([folder('x'), file('x/one'), link('x', '../../../outside'), file('x/secret'), file('x/folder/file')]);
  assert.deepEqual(sandbox.files, { outside: '/', 'outside/folder': '/', 'outside/folder/file': 'evil', 'outside/secret': 'evil', x: '-> ../../../outside' });
});

test('a swap of a folder above the one that is kept open', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([folder('x'), folder('x/y'), file('x/y/one'), link('x', '/outside'), file('x/y/two')]);
  assert.deepEqual(sandbox.files, { outside: '/', 'outside/y': '/', 'outside/y/two': 'evil', x: '-> /outside' });
});

test('the times and mode of a folder are not set through a link that took its place', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([member({ name: 'x', flag: '5', mode: '0000777\0' }), link('x', '../../../outside/folder')]);
  assert.deepEqual(sandbox.files, { x: '-> ../../../outside/folder' });
});

test('a hard link to a file outside is refused (CVE-2019-18466, CVE-2018-15664 family)', async () => {
  for (const target of ['../../../outside/secret', '/../outside/secret']) {
    using sandbox = new Sandbox();
    await sandbox.refuses([hardLink('x', target), file('x')], /leads out of its root/);
  }
  using sandbox = new Sandbox();
  await sandbox.refuses([hardLink('x', `${sandbox.outside}/secret`)], /a hard link to ".*", which is not there/);
  await sandbox.refuses([link('out', '../../../outside'), hardLink('x', 'out/secret')], /a hard link to "out\/secret", which is not there/);
  await sandbox.refuses([link('abs', sandbox.outside), hardLink('x', 'abs/secret')], /a hard link to/);
});

test('a hard link to a symbolic link is that link, and nothing is written through it (CVE-2021-21272, GNU tar, npm)', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([link('l', '../../../outside/secret'), hardLink('h', 'l'), file('h')]);
  assert.deepEqual(sandbox.files, { h: 'evil', l: '-> ../../../outside/secret' });
});

test('data of a hard link is not written (GHSA-vh95: link with contents)', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([file('t', 'good'), hardLink('h', 't'), file('next')]);
  assert.deepEqual(sandbox.files, { h: 'good', next: 'evil', t: 'good' });
});

test('hard links to folders, to nothing, to the root and to themselves', async () => {
  using sandbox = new Sandbox();
  await sandbox.refuses([folder('d'), hardLink('h', 'd')], /entry "h" cannot be made: linkat: EPERM/);
  await sandbox.refuses([hardLink('h', 'missing')], /entry "h" cannot be made: linkat: ENOENT/);
  await sandbox.refuses([hardLink('h', '.')], /a hard link to ".", its root/);
  await sandbox.unpack([file('self', 'kept'), hardLink('./self', '/self')]);
  assert.equal(sandbox.files['self'], 'kept');
});

test('a whiteout of `..`, of `.`, of nothing (CVE-2019-11502 family)', async () => {
  for (const name of ['.wh...', '.wh..', '.wh.', 'd/.wh...', 'd/.wh..']) {
    using sandbox = new Sandbox();
    await sandbox.refuses([folder('d'), file(name, '')], /hides no name/);
    await sandbox.refuses([folder('d'), file(name, '')], /hides no name/, { whiteouts: 'overlay', overlayXattr: 'user' });
  }
});

test('a whiteout through a link removes nothing outside', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([link('x', '../../../outside'), link('y', sandbox.outside), file('x/.wh.secret', ''), file('y/.wh..wh..opq', ''), file('.wh.y', '')]);
});

test('an opaque whiteout of the root removes nothing outside, also where links are', async () => {
  using sandbox = new Sandbox();
  fs.symlinkSync('../../../outside', path.join(sandbox.inside, 'old'));
  fs.mkdirSync(path.join(sandbox.inside, 'deep/er'), { recursive: true });
  fs.symlinkSync(sandbox.outside, path.join(sandbox.inside, 'deep/er/link'));
  await sandbox.unpack([file('new', 'n'), file('.wh..wh..opq', '')]);
  assert.deepEqual(sandbox.files, { new: 'n' });
});

test('a folder that replaces a link to a folder (node-tar CVE-2021-37713 family)', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([link('x', '../../../outside/folder'), folder('x'), file('x/file')]);
  assert.deepEqual(sandbox.files, { x: '/', 'x/file': 'evil' });
});

test('names that differ in a trailing slash, in dots or in bytes do not meet a stale folder (CVE-2021-37701)', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([folder('x/'), file('x/a'), link('./x/', '../../../outside'), file('x//secret'), file('./x/./folder/file')]);
  assert.equal(sandbox.files['outside/secret'], 'evil');
});

test('nothing but a folder can be the root', async () => {
  for (const entry of [link('.', '../../../outside'), file('./'.repeat(3) + '.'), hardLink('/', 'x'), member({ name: './.', flag: '6' })]) {
    using sandbox = new Sandbox();
    await sandbox.refuses([entry], /the layer's root is a/);
  }
});

test('a fifo or a device in the way of a file is replaced, not written to', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([member({ name: 'p', flag: '6' }), file('p')]);
  assert.deepEqual(sandbox.files, { p: 'evil' });
});

test('a fifo or a file as a folder on the way is refused', async () => {
  using sandbox = new Sandbox();
  await sandbox.refuses([member({ name: 'p', flag: '6' }), file('p/f')], /folder "p" cannot be entered: openat: ENOTDIR/);
  await sandbox.refuses([file('f'), file('f/g')], /folder "f" cannot be entered: openat: ENOTDIR/);
});

test('/proc/self links of the host lead nowhere (CVE-2019-19921 family)', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([link('x', '/proc/self/cwd'), link('y', '/proc/self/root'), file('x/evil-delos'), file('y/evil-delos')]);
  assert.equal(fs.existsSync('evil-delos') || fs.existsSync('/evil-delos'), false);
  assert.equal(sandbox.files['proc/self/root/evil-delos'], 'evil');
});

test('names with a NUL, a line break or an escape sequence', async () => {
  using sandbox = new Sandbox();
  await sandbox.refuses([pax([['path', 'x\0/../../../outside/evil']]), file('y')], /path is not valid/);
  await sandbox.unpack([file('new\nline\x1b[2J', 'n')]);
  assert.deepEqual(sandbox.files, { 'new\nline\x1b[2J': 'n' });
  await sandbox.refuses([file('../\n\x1b[2J')], /"\.\.\/\\n\\u001b\[2J", which leads out/);
});

test('names too long for a file system, and trees too deep for a path', async () => {
  using sandbox = new Sandbox();
  await sandbox.refuses([pax([['path', 'x'.repeat(256)]]), file('y')], /ENAMETOOLONG/);
  await sandbox.refuses([pax([['path', 'x'.repeat(5000)]]), file('y')], /a name or link of 5000 bytes/);
  const deep = 'd/'.repeat(1000);
  const parts = [pax([['path', `${deep}f`]]), file('y'), link('l', deep.slice(0, 90)), pax([['linkpath', deep]]), link('l', 'x'), pax([['path', `l/${deep}f`]]), file('y')];
  await sandbox.refuses(parts, /deeper than a path can be/);
});

test("a PAX size that lies does not bring a hidden entry to light (CVE-2025-62518, 'TARmageddon')", async () => {
  using sandbox = new Sandbox();
  const inner = file('inner');
  await sandbox.unpack([pax([['size', String(inner.length)]]), header({ name: 'outer', size: octal(0) }), inner]);
  assert.deepEqual(Object.keys(sandbox.files), ['outer']);
});

test('a device 0:0 of an image is no whiteout of an overlay, and its attributes steer none', async () => {
  using sandbox = new Sandbox();
  const parts = [
    member({ name: 'hidden', flag: '3', major: '0000000\0', minor: '0000000\0' }), pax([['SCHILY.xattr.trusted.overlay.opaque', 'y'], ['SCHILY.xattr.user.overlay.redirect', '/etc']]), folder('d'),
    pax([['SCHILY.xattr.trusted.overlay.metacopy', '']]), file('f'),
  ];
  const { skipped } = await sandbox.unpack(parts, { whiteouts: 'overlay' });
  assert.deepEqual(skipped.map(({ name, reason }) => `${name}: ${reason}`), [
    "hidden: device 0:0: it would be overlayfs's whiteout", 'f: xattr "trusted.overlay.metacopy": it would steer overlayfs',
    'd: xattr "trusted.overlay.opaque": it would steer overlayfs', 'd: xattr "user.overlay.redirect": it would steer overlayfs',
  ]);
  assert.deepEqual(Object.keys(sandbox.files), ['d', 'f']);
});

test('owners beyond what chown(2) knows, -1 among them, and impossible devices', async () => {
  using sandbox = new Sandbox();
  const owned = { owners: 'told' } as const;
  await sandbox.refuses([pax([['uid', '4294967295']]), file('f')], /has an owner 4294967295:0/, owned);
  await sandbox.refuses([member({ name: 'f', uid: '\xff\xff\xff\xff\xff\xff\xff\xff' })], /has an owner -1:0/, owned);
  await sandbox.refuses([member({ name: 'f', flag: '3', major: '0010000\0' })], /has a device 4096:0/);
});

test('limits: entries, bytes, the length of a file with its holes, the ratio', async () => {
  using sandbox = new Sandbox();
  await sandbox.refuses([file('a'), file('b'), file('c')], /more than 2 entries/, { limits: { entries: 2 } });
  await sandbox.refuses([file('a', 'x'.repeat(5000))], /a file of 5000 bytes; the limit is 4096|larger than 4096/, { limits: { bytes: 4096 } });
  const sparse = [pax([['GNU.sparse.size', '1000000000000'], ['GNU.sparse.map', '0,4']]), file('s')];
  await sandbox.refuses(sparse, /a file of 1000000000000 bytes/);
});
