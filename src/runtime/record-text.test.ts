import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRecord, recordText } from './record-text.ts';
import type { ContainerRecord } from './record.ts';

const record: ContainerRecord = {
  version: 1, ociVersion: '1.3.0', id: 'one', bundle: '/bundle', rootfs: '/bundle/rootfs', created: '2026-11-21T11:42:57.123Z',
  owner: 1000, rootless: true, systemdCgroup: false, cgroup: { '': '/sys/fs/cgroup/one' },
  config: {
    ociVersion: '1.3.0', annotations: { 'a"b': 'line\nline \u{1f600}' },
    process: { cwd: '/', rlimits: [{ type: 'RLIMIT_NOFILE', soft: 2n ** 63n, hard: 2n ** 64n - 1n }] },
    linux: { resources: { memory: { limit: -(2n ** 63n), swap: 9007199254740991 } } },
  },
};

test('a record survives being written and read, with every digit of its integers', () => {
  assert.match(recordText(record), /"hard":18446744073709551615[,}]/);
  assert.deepEqual(parseRecord(recordText(record), 'state.json'), record);
  assert.deepEqual(parseRecord(Buffer.from(recordText(record)), 'state.json'), record);
});

test('what is no record is refused with its file and place', () => {
  const changed = (change: object): string => JSON.stringify({ ...JSON.parse(recordText(record)) as object, ...change });
  const faults: [string, RegExp][] = [
    ['', /^x: line 1/],
    ['[]', /^x: expected an object/],
    ['null', /^x: expected an object, found null/],
    [recordText(record).slice(0, -20), /^x: line/],
    [changed({ version: 2 }), /^x: version: expected 1, found 2/],
    [changed({ id: undefined }), /^x: id: expected a string, found nothing/],
    [changed({ rootless: 'yes' }), /^x: rootless: expected true or false, found "yes"/],
    [changed({ owner: 0.5 }), /^x: owner: expected a uid/],
    [changed({ config: [] }), /^x: config: expected an object/],
    [changed({ cgroup: { memory: '../..' } }), /^x: cgroup: expected absolute directories/],
    [changed({ cgroup: { memory: '/sys/fs/cgroup/../../etc' } }), /^x: cgroup: expected absolute directories/],
  ];
  for (const [text, message] of faults) assert.throws(() => parseRecord(text, 'x'), { code: 'io', message }, text.slice(0, 80));
});
