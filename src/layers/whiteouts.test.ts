import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { member } from '../tar/testing/archive.ts';
import { Sandbox } from './testing/sandbox.ts';
import { Tree } from './walk.ts';

const file = (name: string, data = ''): Buffer => member({ name }, data);
const folder = (name: string): Buffer => member({ name, flag: '5', mode: '0000755\0' });

/** Puts what a layer below has into the folder: names that end with a slash are folders. */
function below(sandbox: Sandbox, ...names: string[]): void {
  for (const name of names) {
    if (name.endsWith('/')) fs.mkdirSync(path.join(sandbox.inside, name), { recursive: true });
    else fs.writeFileSync(path.join(sandbox.inside, name), 'below');
  }
}

test('apply: a whiteout removes a file, a link, a folder with all in it; and a name that is not there', async () => {
  using sandbox = new Sandbox();
  below(sandbox, 'd/e/', 'd/e/f', 'gone', 'kept');
  fs.symlinkSync('d', path.join(sandbox.inside, 'l'));
  await sandbox.unpack([file('.wh.gone'), file('.wh.d'), file('.wh.l'), file('.wh.never'), file('.wh..wh.plnk')]);
  assert.deepEqual(sandbox.files, { kept: 'below' });
});

test('apply: what the layer itself has stays, whichever comes first', async () => {
  for (const order of ['first', 'last']) {
    using sandbox = new Sandbox();
    below(sandbox, 'd/sub/', 'd/old', 'd/sub/old', 'f');
    const whiteouts = [file('.wh.d'), file('.wh.f')];
    const own = [folder('d'), file('d/sub/new', 'own'), file('f', 'own')];
    await sandbox.unpack(order === 'first' ? [...whiteouts, ...own] : [...own, ...whiteouts]);
    assert.deepEqual(sandbox.files, { d: '/', 'd/sub': '/', 'd/sub/new': 'own', f: 'own' }, order);
  }
});

test('apply: an opaque folder loses what the layers below have, its own order does not count', async () => {
  for (const order of ['first', 'last']) {
    using sandbox = new Sandbox();
    below(sandbox, 'd/sub/deep/', 'd/old', 'd/sub/old', 'd/sub/deep/old', 'e');
    const opaque = [file('d/.wh..wh..opq')];
    const own = [file('d/new', 'own'), file('d/sub/new', 'own')];
    await sandbox.unpack(order === 'first' ? [...opaque, ...own] : [...own, ...opaque]);
    assert.deepEqual(sandbox.files, { d: '/', 'd/new': 'own', 'd/sub': '/', 'd/sub/new': 'own', e: 'below' }, order);
  }
});

test('apply: a folder that is hidden and needed again is a new one, and its own', async () => {
  using sandbox = new Sandbox();
  below(sandbox, 'd/', 'd/old');
  fs.chmodSync(path.join(sandbox.inside, 'd'), 0o700);
  await sandbox.unpack([file('d/early', 'own'), file('.wh.d'), file('d/old/late', 'own'), file('.wh.d')]);
  assert.deepEqual(sandbox.files, { d: '/', 'd/early': 'own', 'd/old': '/', 'd/old/late': 'own' });
  await sandbox.unpack([file('.wh.d'), file('d/x', 'own')]);
  const { mode, mtimeMs } = fs.statSync(path.join(sandbox.inside, 'd'));
  assert.deepEqual([sandbox.files, mode & 0o7777, mtimeMs], [{ d: '/', 'd/x': 'own' }, 0o755, 0]);
});

test('apply: an opaque root, and one through a link of the layers below', async () => {
  using sandbox = new Sandbox();
  below(sandbox, 'usr/lib/', 'usr/lib/old', 'etc/');
  fs.symlinkSync('usr/lib', path.join(sandbox.inside, 'lib'));
  await sandbox.unpack([file('lib/.wh..wh..opq'), file('lib/new', 'own')]);
  assert.deepEqual(sandbox.files, { etc: '/', lib: '-> usr/lib', usr: '/', 'usr/lib': '/', 'usr/lib/new': 'own' });
  const { opaqueRoot } = await sandbox.unpack([file('.wh..wh..opq'), file('only', 'own')]);
  assert.deepEqual([sandbox.files, opaqueRoot], [{ only: 'own' }, false]);
});

test('apply: a folder takes over from a file and a file from a folder; a folder over a folder joins it', async () => {
  using sandbox = new Sandbox();
  below(sandbox, 'was-folder/x/', 'was-folder/x/y', 'was-file', 'both/', 'both/old');
  await sandbox.unpack([file('was-folder', 'f'), folder('was-file'), file('was-file/in', 'i'), folder('both'), file('both/new', 'n')]);
  assert.deepEqual(sandbox.files, { both: '/', 'both/new': 'n', 'both/old': 'below', 'was-file': '/', 'was-file/in': 'i', 'was-folder': 'f' });
});

/** Overlayfs's marks of a folder, in the namespace that needs no privilege. */
function opaque(sandbox: Sandbox, name: string): string | undefined {
  const tree = new Tree(sandbox.inside);
  const node = tree.open(name);
  try {
    const value = node?.xattrs().get('user.overlay.opaque');
    return value === undefined ? undefined : Buffer.from(value).toString();
  } finally {
    node?.close();
    tree.close();
  }
}

const overlay = { whiteouts: 'overlay', overlayXattr: 'user' } as const;

test('overlay: a whiteout is a character device 0:0, an opaque folder has the attribute', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([file('.wh.gone'), file('d/.wh.x'), file('o/.wh..wh..opq'), file('o/new', 'own')], overlay);
  assert.deepEqual(sandbox.files, { d: '/', 'd/x': 'character', gone: 'character', o: '/', 'o/new': 'own' });
  assert.equal(fs.statSync(path.join(sandbox.inside, 'gone')).rdev, 0);
  assert.deepEqual([opaque(sandbox, 'o'), opaque(sandbox, 'd')], ['y', undefined]);
});

test('overlay: a name that is hidden and made in one layer shows only what was made', async () => {
  for (const order of ['first', 'last']) {
    using sandbox = new Sandbox();
    const whiteouts = [file('.wh.d'), file('.wh.f'), file('.wh.parent')];
    const own = [folder('d'), file('f', 'own'), file('parent/x', 'own')];
    await sandbox.unpack(order === 'first' ? [...whiteouts, ...own] : [...own, ...whiteouts], overlay).catch((error: unknown) => assert.fail(`${order}: ${String(error)}`));
    assert.deepEqual(sandbox.files, { d: '/', f: 'own', parent: '/', 'parent/x': 'own' }, order);
    assert.deepEqual([opaque(sandbox, 'd'), opaque(sandbox, 'parent')], ['y', 'y'], order);
  }
});

test('overlay: an opaque root is told, since overlayfs knows none', async () => {
  using sandbox = new Sandbox();
  const { opaqueRoot } = await sandbox.unpack([file('./.wh..wh..opq'), file('x', 'own')], overlay);
  assert.equal(opaqueRoot, true);
});

test('overlay: a missing folder is made like the one below, and a link below to a folder is followed', async () => {
  using sandbox = new Sandbox();
  using lower = new Sandbox();
  using lowest = new Sandbox();
  fs.mkdirSync(path.join(lower.inside, 'usr/lib'), { recursive: true });
  fs.symlinkSync('usr/lib', path.join(lower.inside, 'lib'));
  fs.chmodSync(path.join(lower.inside, 'usr/lib'), 0o2751);
  fs.utimesSync(path.join(lower.inside, 'usr/lib'), 5, 5);
  fs.mkdirSync(path.join(lowest.inside, 'tmp'));
  fs.chmodSync(path.join(lowest.inside, 'tmp'), 0o1777);
  await sandbox.unpack([file('lib/new', 'own'), file('tmp/x', 'own'), file('none/x', 'own')], { ...overlay, lowers: [lower.inside, lowest.inside] });
  assert.deepEqual(Object.keys(sandbox.files), ['none', 'none/x', 'tmp', 'tmp/x', 'usr', 'usr/lib', 'usr/lib/new']);
  const stat = (name: string): fs.Stats => fs.statSync(path.join(sandbox.inside, name));
  assert.deepEqual(['none', 'tmp', 'usr/lib'].map((name) => (stat(name).mode & 0o7777).toString(8)), ['755', '1777', '2751']);
  assert.deepEqual([stat('none').mtimeMs, stat('usr/lib').mtimeMs], [0, 5000]);
});

test('overlay: a hard link to a file of a layer below takes that file up; not over what hides it', async () => {
  using sandbox = new Sandbox();
  using lower = new Sandbox();
  fs.mkdirSync(path.join(lower.inside, 'd'));
  fs.writeFileSync(path.join(lower.inside, 'd/f'), 'lower', { mode: 0o640 });
  fs.utimesSync(path.join(lower.inside, 'd/f'), 7, 7);
  await sandbox.unpack([member({ name: 'd/h', flag: '1', link: 'd/f' })], { ...overlay, lowers: [lower.inside] });
  assert.deepEqual(sandbox.files, { d: '/', 'd/f': 'lower', 'd/h': 'lower' });
  const [f, h] = ['d/f', 'd/h'].map((name) => fs.statSync(path.join(sandbox.inside, name)));
  assert.deepEqual([f!.ino, f!.mode & 0o777, f!.mtimeMs], [h!.ino, 0o640, 7000]);
  assert.equal(fs.statSync(path.join(lower.inside, 'd/f')).nlink, 1);
  await sandbox.refuses([member({ name: 'h', flag: '1', link: 'none' })], /linkat: ENOENT/, { ...overlay, lowers: [lower.inside] });
});
