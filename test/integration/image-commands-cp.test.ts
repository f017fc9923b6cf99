// `delos cp`, with docker's rules about slashes, and containers that want to lead it out.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { importBusybox } from '../support/busybox-image.ts';
import { Everyday } from '../support/everyday.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'cgroups', 'busybox');

/** Names and contents below a folder; links by their text. */
function tree(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const file = path.join(folder, name);
    const stat = fs.lstatSync(file);
    if (stat.isSymbolicLink()) found[name] = `-> ${fs.readlinkSync(file)}`;
    else if (stat.isFile()) found[name] = fs.readFileSync(file, 'utf8');
  }
  return found;
}

for (const state of ['running', 'stopped'] as const) {
  test(`cp into a ${state} container and out of it: where things go`, { skip }, async () => {
    await using everyday = new Everyday();
    importBusybox(everyday, 'base');
    const here = path.join(everyday.data, 'here');
    fs.mkdirSync(path.join(here, 'folder/deep'), { recursive: true });
    fs.writeFileSync(path.join(here, 'file'), 'a file', { mode: 0o640 });
    fs.writeFileSync(path.join(here, 'folder/deep/inner'), 'inner');
    fs.symlinkSync('inner', path.join(here, 'folder/deep/link'));
    fs.chownSync(path.join(here, 'file'), 1000, 1001);
    fs.utimesSync(path.join(here, 'file'), 1e9, 1e9);
    const begin = 'mkdir /there; echo begun > /there/begun; ln -s /there /jump; while :; do sleep 1; done';
    everyday.output('run', '-d', '--network=none', '--name', 'box', 'base', 'sh', '-c', begin);
    for (let tries = 0; everyday.delos('exec', 'box', 'cat', '/jump/begun').status !== 0 && tries < 50; tries++);
    if (state === 'stopped') {
      everyday.output('kill', 'box');
      everyday.output('wait', 'box');
    }
    const into = (from: string, to: string): string => everyday.delos('cp', `${here}/${from}`, `box:${to}`).stderr;
    for (const [from, to] of [
      ['file', '/there'], ['file', '/there/renamed'], ['file', '/there/begun'], ['file', 'jump/linked'], ['folder', '/there'], ['folder', '/there/new'],
      ['folder/.', '/there/contents'], ['folder/.', '/there/new'], ['folder/', 'there/slash'],
    ] as const) assert.equal(into(from, to), '', `${from} to ${to}`);
    assert.match(into('file', '/there/no/'), /^delos: box:\/there\/no\/ is no folder\n$/);
    assert.match(into('file', '/no/such/place'), /^delos: box:\/no\/such\/place: the folder around it does not exist\n$/);
    assert.match(into('folder', '/there/renamed'), /^delos: box:\/there\/renamed is no folder: .*\n$/);
    assert.match(into('file/', '/there'), /^delos: .*ENOTDIR\n$|^delos: .* is no folder\n$/);

    const out = path.join(everyday.data, 'out');
    everyday.output('cp', 'box:/there', out);
    const inner = { 'deep/inner': 'inner', 'deep/link': '-> inner' };
    const at = (folder: string): object => Object.fromEntries(Object.entries(inner).map(([name, text]) => [`${folder}/${name}`, text]));
    assert.deepEqual(tree(out), {
      begun: 'a file', file: 'a file', linked: 'a file', renamed: 'a file', ...at('contents'), ...at('folder'), ...at('new'), ...at('slash'),
    });
    const { mode, mtimeMs, uid } = fs.statSync(path.join(out, 'file'));
    assert.deepEqual([mode & 0o7777, mtimeMs, uid], [0o640, 1e12, 0]);
    everyday.output('cp', '-a', path.join(here, 'file'), 'box:/there/owned');
    everyday.output('cp', '-a', 'box:/there/owned', out);
    const owned = fs.statSync(path.join(out, 'owned'));
    assert.deepEqual([owned.uid, owned.gid], [1000, 1001]);

    everyday.output('cp', 'box:/jump', path.join(out, 'a-link'));
    assert.equal(fs.readlinkSync(path.join(out, 'a-link')), '/there');
    everyday.output('cp', '-L', 'box:/jump', path.join(out, 'followed'));
    assert.equal(fs.readFileSync(path.join(out, 'followed/renamed'), 'utf8'), 'a file');
    everyday.output('cp', 'box:/there/new/.', path.join(out, 'merged'));
    everyday.output('cp', 'box:/there/contents/.', path.join(out, 'merged'));
    assert.deepEqual(tree(path.join(out, 'merged')), inner);
    if (state === 'stopped') {
      assert.match(everyday.output('diff', 'box'), /^A \/there\/owned$/m);
      assert.deepEqual(fs.readdirSync(path.join(everyday.data, 'containers', everyday.output('ps', '-aq', '--no-trunc').trim(), 'rootfs')), []);
    } else {
      assert.equal(everyday.output('exec', 'box', 'cat', '/there/new/deep/inner'), 'inner');
    }
  });
}

test('cp with -: archives on stdin and stdout', { skip }, async () => {
  await using everyday = new Everyday();
  importBusybox(everyday, 'base');
  everyday.output('create', '--network=none', '--name', 'box', 'base');
  const [program = '', ...before] = everyday.command;
  const list = (from: string): string => {
    const { stdout } = spawnSync(program, [...before, 'cp', from, '-']);
    return spawnSync('tar', ['-t'], { input: stdout, encoding: 'utf8' }).stdout;
  };
  assert.equal(list('box:/etc'), 'etc/\netc/motd\n');
  assert.equal(list('box:/etc/.'), './\nmotd\n');
  assert.equal(list('box:/etc/motd'), 'motd\n');
  const made = fs.mkdtempSync(path.join(everyday.data, 'tar-'));
  const nodes = path.join(everyday.data, 'nodes');
  fs.mkdirSync(nodes);
  spawnSync('sh', ['-c', 'mkfifo fifo; chmod 2743 fifo; mknod null c 1 3; chmod 660 null'], { cwd: nodes });
  const archive = spawnSync('sh', ['-c', 'mkdir a; echo one > a/one; ln a/one a/two; chown 5:6 a/one; tar -cz a'], { cwd: made }).stdout;
  assert.equal(spawnSync(program, [...before, 'cp', '-', 'box:/usr'], { input: archive }).status, 0);
  everyday.output('start', 'box');
  everyday.output('wait', 'box');
  assert.match(everyday.output('diff', 'box'), /^A \/usr\/a\nA \/usr\/a\/one\nA \/usr\/a\/two$/m);
  const unpacked = path.join(everyday.data, 'back');
  everyday.output('cp', '-a', 'box:/usr/a', unpacked);
  everyday.output('cp', '-a', `${nodes}/.`, 'box:/usr');
  const back = spawnSync(program, [...before, 'cp', 'box:/usr', '-']).stdout;
  assert.match(spawnSync('tar', ['-tv'], { input: back, encoding: 'utf8' }).stdout, /^prwxr-S-wx 0\/0 .* usr\/fifo\ncrw-rw---- 0\/0 +1,3 .* usr\/null$/m);
  const [one, two] = ['one', 'two'].map((name) => fs.statSync(path.join(unpacked, name)));
  assert.deepEqual([one?.uid, one?.gid, one?.ino], [5, 6, two?.ino]);
  const refused = (input: Buffer, to: string): string => spawnSync(program, [...before, 'cp', '-', to], { input, encoding: 'utf8' }).stderr;
  assert.match(refused(archive, 'box:/etc/motd'), /^delos: box:\/etc\/motd is no folder: .*\n$/);
  assert.match(refused(Buffer.from('junk'), 'box:/usr'), /^delos: the archive at byte 4: .*\n$/);
  const leading = spawnSync('tar', ['-cP', '--transform=s,^,../../../,', 'etc/hostname'], { cwd: '/' }).stdout;
  assert.match(refused(leading, 'box:/usr'), /^delos: .*leads out of its root\n$/);
});

test('no link of a container leads cp out of it', { skip }, async () => {
  await using everyday = new Everyday();
  importBusybox(everyday, 'base');
  const outside = path.join(everyday.data, 'outside');
  fs.mkdirSync(outside);
  fs.writeFileSync(path.join(outside, 'secret'), 'secret');
  const links = [
    `ln -s ${outside} /abs`, `ln -s ../../../../../../../..${outside} /rel`, `ln -s ${outside}/secret /file`, 'ln -s /proc/1/root/etc /magic',
    'mkdir -p /own/d', `ln -s ${outside} /own/d/x`,
  ].join(';');
  everyday.output('run', '-d', '--network=none', '--name', 'bad', 'base', 'sh', '-c', `${links}; touch /ready; while :; do sleep 1; done`);
  for (let tries = 0; everyday.delos('exec', 'bad', 'cat', '/ready').status !== 0 && tries < 50; tries++);
  const file = path.join(everyday.data, 'file');
  fs.writeFileSync(file, 'mine');
  const stays = (): void => assert.deepEqual(tree(outside), { secret: 'secret' });
  const attempt = (): void => {
    for (const name of ['abs', 'rel']) {
      assert.match(everyday.delos('cp', file, `bad:/${name}/planted`).stderr, /the folder around it does not exist\n$/);
      assert.match(everyday.delos('cp', `bad:/${name}/secret`, path.join(everyday.data, 'stolen')).stderr, /there is no such file or folder\n$/);
    }
    assert.match(everyday.delos('cp', '-L', 'bad:/file', path.join(everyday.data, 'stolen')).stderr, /there is no such file or folder\n$/);
    assert.notEqual(everyday.delos('cp', 'bad:/magic/hostname', path.join(everyday.data, 'stolen')).status, 0);
    stays();
    assert.equal(fs.existsSync(path.join(everyday.data, 'stolen')), false);
  };
  attempt();
  everyday.output('kill', 'bad');
  everyday.output('wait', 'bad');
  attempt();
  everyday.output('cp', file, 'bad:/file');
  stays();
  // A link that an earlier copy has brought is not followed by a later one.
  const copied = path.join(everyday.data, 'copied');
  everyday.output('cp', 'bad:/own', copied);
  assert.equal(fs.readlinkSync(path.join(copied, 'd/x')), outside);
  fs.mkdirSync(path.join(everyday.data, 'second/d/x'), { recursive: true });
  fs.writeFileSync(path.join(everyday.data, 'second/d/x/secret'), 'other');
  assert.equal(everyday.delos('cp', path.join(everyday.data, 'second'), 'bad:/').status, 0);
  assert.match(everyday.delos('cp', 'bad:/second/.', copied).stderr, /^delos: a folder cannot take the place of .*\n$/);
  stays();
});
