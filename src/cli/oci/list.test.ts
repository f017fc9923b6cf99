import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerState } from '../../runtime/state.ts';
import { listing } from './list.ts';

const state: ContainerState = {
  ociVersion: '1.3.0', id: 'x', pid: 13592, status: 'created', bundle: '/tmp/oc', rootfs: '/tmp/oc/rootfs',
  created: '2026-11-21T11:36:58.054004524Z', annotations: { a: 'b' }, owner: 'root',
};

test('the table is the one runc 1.1 prints, column by column', () => {
  assert.equal(listing([state], 'table'), [
    'ID          PID         STATUS      BUNDLE      CREATED                          OWNER',
    'x           13592       created     /tmp/oc     2026-11-21T11:36:58.054004524Z   root',
    '',
  ].join('\n'));
});

test('a table without containers has its header', () => {
  assert.equal(listing([], 'table'), 'ID          PID         STATUS      BUNDLE      CREATED     OWNER\n');
});

test('json is one array in runc\'s order of names, and null without containers', () => {
  assert.equal(listing([state], 'json'), `[${JSON.stringify(state)}]\n`);
  assert.equal(listing([], 'json'), 'null\n');
});

test('an unknown format is refused', () => {
  assert.throws(() => listing([], 'yaml'), { code: 'bad-usage', message: /invalid format option.*yaml/ });
});
