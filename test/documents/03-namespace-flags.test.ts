/**
 * Number 3, references 2.10.3.a-i and 2.5.28.i: the flag of each kind of namespace, and that several are or-ed. What the document
 * got wrong: its time namespace has no flag at all, so that unshare(0) succeeds and does nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NamespaceType } from '../../src/oci/config/types.ts';
import { namespaceTypes } from '../../src/oci/namespaces.ts';
import { without, type TestConfig } from '../support/bundle.ts';
import { noContainers, planned, printed } from './claims.ts';

const flags: Readonly<Record<NamespaceType, number>> = {
  pid: 0x20000000, network: 0x40000000, mount: 0x20000, uts: 0x4000000, ipc: 0x8000000, user: 0x10000000, cgroup: 0x2000000, time: 0x80,
};

function combined(types: readonly NamespaceType[]): number {
  return types.reduce((together, type) => together | namespaceTypes[type].flag, 0);
}

function withNamespaces(...types: readonly NamespaceType[]): (config: TestConfig) => TestConfig {
  return (config) => ({ ...without(config, 'hostname'), linux: { ...config.linux, namespaces: types.map((type) => ({ type })) } });
}

/** The flags of clone3 as --explain prints them. */
function cloneFlags(change: (config: TestConfig) => TestConfig): string[] {
  const clone = planned(change).find(({ call }) => call === 'clone3');
  return /flags: ([\w|]+)/.exec(Object.values(clone?.arguments ?? {}).join(' '))?.[1]?.split('|').filter((flag) => flag.startsWith('CLONE_NEW')) ?? assert.fail(JSON.stringify(clone));
}

test('test_namespace_flags', async (context) => {
  await context.test('each kind has the value of <linux/sched.h>, time too', () => {
    assert.deepEqual(Object.fromEntries(Object.entries(namespaceTypes).map(([type, { flag }]) => [type, flag])), flags);
  });

  await context.test('several are or-ed, none is 0', () => {
    assert.equal(combined(['pid', 'network', 'mount']), 0x60020000);
    assert.equal(combined(Object.keys(flags) as NamespaceType[]), 0x7e020080);
    assert.equal(combined([]), 0);
  });

  await context.test('clone3 gets those of config.json and no others', { skip: noContainers }, () => {
    assert.deepEqual(cloneFlags(withNamespaces('pid', 'network', 'mount')), ['CLONE_NEWNET', 'CLONE_NEWNS', 'CLONE_NEWPID']);
    assert.deepEqual(cloneFlags(withNamespaces('mount')), ['CLONE_NEWNS']);
  });

  await context.test('the time namespace is real: a container is up a day longer than its host', { skip: noContainers }, async () => {
    const before = Number((await printed('cat /proc/uptime')).split(' ')[0]);
    const shifted = Number((await printed('cat /proc/uptime', (config) => ({
      ...config, linux: { ...config.linux, namespaces: [...config.linux.namespaces, { type: 'time' }], timeOffsets: { boottime: { secs: 86400 } } },
    }))).split(' ')[0]);
    assert.ok(shifted - before >= 86400 && shifted - before < 86400 + 600, `${before} ${shifted}`);
    assert.ok(Number((await printed('cat /proc/uptime')).split(' ')[0]) < shifted);
  });
});
