import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { root } from './files.ts';

const top = mkdtempSync(join(tmpdir(), 'delos-launcher-'));
const clone = join(top, 'a clone');
after(() => rmSync(top, { recursive: true }));

const says = (words: string): string => `#!/bin/sh\n${words}\n`;

/** A clone with the real launchers, a build made an hour ago from older sources, and a `dev` that only says that it was called. */
beforeEach(() => {
  rmSync(clone, { recursive: true, force: true });
  for (const folder of ['bin', 'src', 'native', 'build']) mkdirSync(join(clone, folder), { recursive: true });
  for (const name of ['delos', 'delos-oci']) copyFileSync(join(root, 'bin', name), join(clone, 'bin', name));
  symlinkSync('bin/delos', join(clone, 'delos'));
  writeFileSync(join(clone, 'dev'), says(`echo "dev $*" >&2; touch "${clone}/build/stamp"`), { mode: 0o755 });
  writeFileSync(join(clone, 'build/node'), says('echo "${1##*/} ${2-} ${3-}|$NODE_EXTRA_CA_CERTS|$DELOS_NODE_EXTRA_CA_CERTS"'), { mode: 0o755 });
  for (const file of ['src/a.ts', 'native/a.c', 'package-lock.json', 'build/stamp']) writeFileSync(join(clone, file), '');
  const age = (path: string, seconds: number): void => utimesSync(join(clone, path), Date.now() / 1000 - seconds, Date.now() / 1000 - seconds);
  for (const path of ['src/a.ts', 'native/a.c', 'package-lock.json', 'src', 'native']) age(path, 7200);
  age('build/stamp', 3600);
});

function launch(program: string, ...args: string[]): { out: string; err: string } {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: '/', env: { PATH: process.env['PATH'], NODE_EXTRA_CA_CERTS: '/ca' } });
  return { out: stdout.trimEnd(), err: stderr.trimEnd() };
}

test('a fresh build runs at once, with its arguments, without the extra certificates', () => {
  assert.deepEqual(launch(join(clone, 'delos'), 'run', 'two words'), { out: 'delos.cjs run two words||/ca', err: '' });
});

test('it is found through links, by its path in bin/, and from its own folder', () => {
  symlinkSync(join(clone, 'delos'), join(clone, 'src', 'link'));
  utimesSync(join(clone, 'src'), 0, 0);
  for (const program of [join(clone, 'src', 'link'), join(clone, 'bin/delos')]) assert.match(launch(program).out, /^delos\.cjs/);
  assert.match(execFileSync('./delos', { cwd: clone, encoding: 'utf8' }), /^delos\.cjs/);
  assert.match(execFileSync('sh', ['delos'], { cwd: join(clone, 'bin'), encoding: 'utf8' }), /^delos\.cjs/);
});

for (const changed of ['src/a.ts', 'native/a.c', 'package-lock.json']) {
  test(`it builds when ${changed} is newer than the build, and only once`, () => {
    writeFileSync(join(clone, changed), '');
    assert.equal(launch(join(clone, 'delos')).err, 'dev build');
    assert.equal(launch(join(clone, 'delos')).err, '');
  });
}

test('it builds when nothing is built', () => {
  rmSync(join(clone, 'build/stamp'));
  assert.equal(launch(join(clone, 'delos')).err, 'dev build');
});

test('a build that fails is exit code 125, and nothing runs', () => {
  writeFileSync(join(clone, 'dev'), says('exit 1'), { mode: 0o755 });
  rmSync(join(clone, 'build/stamp'));
  const { status, stdout } = spawnSync(join(clone, 'delos'), { encoding: 'utf8' });
  assert.deepEqual([status, stdout], [125, '']);
});

test('a published package never builds', () => {
  rmSync(join(clone, 'dev'));
  writeFileSync(join(clone, 'src/a.ts'), '');
  assert.deepEqual(launch(join(clone, 'bin/delos')), { out: 'delos.cjs  ||/ca', err: '' });
});

test('delos-oci runs the C front where there is one, and builds only when nothing is built', () => {
  writeFileSync(join(clone, 'src/a.ts'), '');
  assert.deepEqual(launch(join(clone, 'bin/delos-oci'), 'state', 'x'), { out: 'delos-oci.cjs state x||/ca', err: '' });
  writeFileSync(join(clone, 'build/delos-oci'), says('echo "front $*"'), { mode: 0o755 });
  assert.deepEqual(launch(join(clone, 'bin/delos-oci'), 'state', 'x'), { out: 'front state x', err: '' });
  rmSync(join(clone, 'build/stamp'));
  assert.equal(launch(join(clone, 'bin/delos-oci')).err, 'dev build');
});
