import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { probeKvm } from '../../src/engine/probe.ts';
import { noKvm } from '../support/guest.ts';

test('the probe says what KVM is here', { skip: noKvm }, () => {
  const open = fs.readdirSync('/proc/self/fd').length;
  const probe = probeKvm();
  assert.equal(probe.version, 12);
  assert.ok((probe.mapSize ?? 0) >= 4096);
  assert.ok((probe.extensions['KVM_CAP_NR_MEMSLOTS'] ?? 0) >= 32);
  assert.ok((probe.kernelRate ?? 0) > 0, probe.sentence);
  assert.match(probe.sentence, probe.useful ? /^KVM runs a guest's kernel.*\d million instructions\/s\)/ : /^KVM interprets a guest's kernel.*\d million instructions\/s\)/);
  assert.equal(fs.readdirSync('/proc/self/fd').length, open);
});

test('without KVM the probe says so', { skip: noKvm === false && 'there is KVM' }, () => {
  const { useful, sentence } = probeKvm();
  assert.deepEqual([useful, sentence], [false, noKvm]);
});
