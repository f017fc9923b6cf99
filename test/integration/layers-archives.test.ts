// Our tar against GNU tar's and Python's: what they write we read, what we write they read, file by file with attributes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { compareTrees, type Aspect } from '../../src/layers/compare.ts';
import { packLayer } from '../../src/layers/pack.ts';
import { source } from '../../src/layers/testing/sandbox.ts';
import { treeLines } from '../../src/layers/testing/tree-lines.ts';
import { unpackLayer } from '../../src/layers/unpack.ts';
import { makeOddTree, must } from '../support/odd-tree.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'tar', 'python3', 'setcap', 'setfattr');
const top = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-archives-'));
const tree = path.join(top, 'tree');

before(() => {
  if (skip !== false) return;
  fs.mkdirSync(tree);
  makeOddTree(tree);
});
after(() => fs.rmSync(top, { recursive: true, force: true }));

/** A new empty folder. */
function folder(name: string): string {
  const made = path.join(top, name);
  fs.mkdirSync(made);
  return made;
}

function differences(other: string, except: readonly Aspect[] = []): string[] {
  return [...compareTrees(tree, other, { contents: true, except })].map(({ path: name, kind, aspects }) => `${name}: ${kind} ${aspects.join()}`);
}

const xattrs = ['--xattrs', '--xattrs-include=*'];
const all = ['--sort=name', '--numeric-owner', '-C', tree, '-c', '.'];

test("GNU tar's pax archive, with attributes and binary values: nothing differs", { skip }, async () => {
  const { skipped } = await unpackLayer(source([must('tar', ['--format=pax', ...xattrs, ...all])]), folder('pax'), { whiteouts: 'apply' });
  assert.deepEqual(skipped, []);
  assert.deepEqual(differences(path.join(top, 'pax')), []);
  assert.deepEqual([...treeLines(path.join(top, 'pax'))], [...treeLines(tree)]);
});

for (const version of ['0.0', '0.1', '1.0']) {
  test(`GNU tar's sparse files of version ${version}: the same bytes, and holes again`, { skip }, async () => {
    const into = folder(`sparse-${version}`);
    await unpackLayer(source([must('tar', ['--format=pax', '--sparse', `--sparse-version=${version}`, ...xattrs, ...all])]), into, { whiteouts: 'apply' });
    assert.deepEqual(differences(into), []);
    assert.ok(fs.statSync(path.join(into, 'var/lib/odd/sparse')).blocks * 512 < 200_000);
  });
}

test('GNU format: long names, base 256, times before 1970, old sparse files', { skip }, async () => {
  const into = folder('gnu');
  await unpackLayer(source([must('tar', ['--format=gnu', '--sparse', ...all])]), into, { whiteouts: 'apply' });
  assert.deepEqual(differences(into, ['time', 'xattrs']), []);
  assert.ok(fs.statSync(path.join(into, 'var/lib/odd/sparse')).blocks * 512 < 200_000);
  const seconds = (name: string): number => Math.floor(fs.lstatSync(name).mtimeMs / 1000);
  for (const { name, parentPath } of fs.readdirSync(tree, { recursive: true, withFileTypes: true })) {
    const file = path.join(parentPath, name);
    assert.equal(seconds(path.join(into, path.relative(tree, file))), seconds(file), file);
  }
});

for (const format of ['ustar', 'v7']) {
  test(`${format}: what it can hold`, { skip }, async () => {
    const into = folder(format);
    const bytes = must('tar', [`--format=${format}`, '--exclude=./deep', '--exclude=*/odd-owner', '--exclude=*/long-link', '--exclude=./dev', '--mtime=@77', ...all]);
    await unpackLayer(source([bytes]), into, { whiteouts: 'apply' });
    assert.deepEqual(differences(into, ['time', 'xattrs']), ['bin/long-link: removed ', 'deep: removed ', 'dev: removed ', 'etc/odd-owner: removed ']);
  });
}

test("Python's tarfile in its three formats", { skip }, async () => {
  const script = 'import sys, tarfile\nwith tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=getattr(tarfile, sys.argv[2])) as t: t.add(sys.argv[1], ".", filter=lambda i: None if sys.argv[2] == "USTAR_FORMAT" and (len(i.name) > 90 or len(i.linkname) > 90 or i.uid > 2000000 or i.mtime < 0 or i.devminor > 60000) else i)';
  for (const format of ['PAX_FORMAT', 'GNU_FORMAT', 'USTAR_FORMAT']) {
    const into = folder(format);
    await unpackLayer(source([must('python3', ['-c', script, tree, format])]), into, { whiteouts: 'apply' });
    const found = differences(into, ['time', 'xattrs']).filter((line) => format !== 'USTAR_FORMAT' || !line.includes('removed'));
    assert.deepEqual(found, [], format);
  }
});

test('what we pack GNU tar and Python unpack the same', { skip }, async () => {
  const archive = path.join(top, 'ours.tar');
  await fs.promises.writeFile(archive, packLayer(tree));
  const [gnu, python] = [folder('by-gnu'), folder('by-python')];
  const said = execFileSync('tar', ['-x', ...xattrs, '--numeric-owner', '-p', '-f', archive, '-C', gnu], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  assert.equal(said, '');
  assert.deepEqual(differences(gnu), []);
  must('python3', ['-c', 'import sys, tarfile\ntarfile.open(sys.argv[1]).extractall(sys.argv[2], numeric_owner=True)', archive, python]);
  assert.deepEqual(differences(python, ['xattrs', 'time']), []);
});

test('the same tree gives the same bytes, also after it was unpacked', { skip }, async () => {
  const into = folder('again');
  const { diffId } = await unpackLayer(packLayer(tree), into, { whiteouts: 'apply' });
  const twice = await unpackLayer(packLayer(into), folder('and-again'), { whiteouts: 'apply' });
  assert.equal(twice.diffId, diffId);
  assert.deepEqual([...treeLines(into)], [...treeLines(tree)]);
});

test('overlayfs itself understands what is unpacked, and its upper folder is packed', { skip }, async () => {
  const [lower, work, merged, again] = [tree, folder('work'), folder('merged'), folder('upper-again')];
  const upper = folder('upper');
  must('unshare', ['-m', 'sh', '-ec', `
    mount -t overlay overlay -o lowerdir=${lower},upperdir=${upper},workdir=${work} ${merged}
    cd ${merged}; rm bin/tool; rm -r var; mkdir -p var/new; echo new >var/new/file; rm -r etc/empty; mkdir etc/empty; ln etc/empty-file etc/hard; chmod 711 bin
    cp -a . ${top}/expected`]);
  await unpackLayer(packLayer(upper, { overlay: true }), again, { whiteouts: 'overlay', lowers: [lower] });
  fs.mkdirSync(path.join(top, 'found'));
  must('unshare', ['-m', 'sh', '-ec', `mount -t overlay overlay -o lowerdir=${again}:${lower} ${merged}; cp -a ${merged}/. ${top}/found`]);
  const aspects = [...compareTrees(path.join(top, 'expected'), path.join(top, 'found'), { contents: true })].filter(({ path: name }) => name !== '');
  assert.deepEqual(aspects, []);
  const applied = folder('applied');
  await unpackLayer(packLayer(tree), applied, { whiteouts: 'apply' });
  await unpackLayer(packLayer(upper, { overlay: true }), applied, { whiteouts: 'apply' });
  assert.deepEqual([...compareTrees(path.join(top, 'expected'), applied, { contents: true })].filter(({ path: name }) => name !== ''), []);
});
