import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Config } from '../oci/config/types.ts';
import type { ContainerRecord } from './record.ts';
import { containerFolder, listRecords, readRecord, removeFolder, reserve, writeRecord } from './store.ts';

function rootFor(context: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-store-'));
  context.after(() => fs.rmSync(folder, { recursive: true }));
  return path.join(folder, 'not', 'there');
}

function recordOf(id: string): ContainerRecord {
  return {
    version: 1, ociVersion: '1.3.0', id, bundle: '/b', rootfs: '/b/rootfs', created: '2026-11-21T11:42:57Z', owner: 0,
    rootless: false, systemdCgroup: false, config: { ociVersion: '1.3.0' }, cgroup: {},
  };
}

test('an id is taken once', (context) => {
  const root = rootFor(context);
  const umask = process.umask(0o077);
  context.after(() => process.umask(umask));
  const folder = reserve(root, recordOf('one'));
  assert.equal(folder, path.join(root, 'one'));
  assert.equal(fs.statSync(folder).mode & 0o777, 0o711);
  assert.equal(fs.statSync(path.join(folder, 'state.json')).mode & 0o777, 0o600);
  assert.throws(() => reserve(root, { ...recordOf('one'), bundle: '/other' }), { code: 'exists', message: /^container with given ID already exists/ });
  assert.deepEqual(readRecord(root, 'one'), recordOf('one'));
  removeFolder(root, 'one');
  removeFolder(root, 'one');
  reserve(root, recordOf('one'));
});

test('a record is replaced as a whole, and nothing is left beside it', (context) => {
  const root = rootFor(context);
  const folder = reserve(root, recordOf('one'));
  const before = fs.readFileSync(path.join(folder, 'state.json'));
  const reader = fs.openSync(path.join(folder, 'state.json'), 'r');
  writeRecord(root, { ...recordOf('one'), bundle: '/new' });
  assert.deepEqual(fs.readFileSync(reader), before, 'whoever reads the old one goes on reading the old one');
  fs.closeSync(reader);
  assert.equal(readRecord(root, 'one').bundle, '/new');
  assert.deepEqual(fs.readdirSync(folder), ['state.json']);
});

test('a record that cannot be written leaves nothing', (context) => {
  const root = rootFor(context);
  fs.mkdirSync(root, { recursive: true });
  assert.throws(() => reserve(root, recordOf('x'.repeat(300))), { code: 'bad-id' });
  const circular: Record<string, unknown> = { ociVersion: '1.3.0' };
  circular['annotations'] = circular;
  assert.throws(() => reserve(root, { ...recordOf('loop'), config: circular as unknown as Config }), TypeError);
  assert.deepEqual(fs.readdirSync(root), []);
  assert.throws(() => writeRecord(root, recordOf('none')), { code: 'io', message: /ENOENT/ });
});

test('what is not there is not found, and no id leads elsewhere', (context) => {
  const root = rootFor(context);
  assert.throws(() => readRecord(root, 'one'), { code: 'not-found', message: 'container "one" does not exist' });
  assert.throws(() => readRecord(root, 'x'.repeat(300)), { code: 'not-found' });
  fs.mkdirSync(path.join(root, 'empty'), { recursive: true });
  assert.throws(() => readRecord(root, 'empty'), { code: 'not-found' });
  for (const id of ['..', '../not/there', '']) {
    assert.throws(() => containerFolder(root, id), { code: 'bad-id' });
    assert.throws(() => removeFolder(root, id), { code: 'bad-id' });
  }
});

test('a folder under the name of another container is not taken for it', (context) => {
  const root = rootFor(context);
  fs.renameSync(reserve(root, recordOf('one')), path.join(root, 'two'));
  assert.throws(() => readRecord(root, 'two'), { code: 'io', message: /expected the record of "two", found that of "one"/ });
});

test('one broken folder does not hide the others', (context) => {
  const root = rootFor(context);
  assert.deepEqual(listRecords(root), []);
  for (const id of ['b', 'a', 'c']) reserve(root, recordOf(id));
  fs.truncateSync(path.join(root, 'b', 'state.json'), 10);
  fs.mkdirSync(path.join(root, 'empty'));
  fs.mkdirSync(path.join(root, 'not an id'));
  fs.writeFileSync(path.join(root, 'file'), '');
  fs.symlinkSync('/', path.join(root, 'link'));
  const entries = listRecords(root).map((entry) => [entry.id, 'record' in entry ? entry.record.id : entry.fault.code]);
  assert.deepEqual(entries, [['a', 'a'], ['b', 'io'], ['c', 'c'], ['empty', 'not-found'], ['not an id', 'bad-id']]);
});
