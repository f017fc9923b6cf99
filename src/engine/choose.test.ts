import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DelosError } from '../lib/errors.ts';
import { chooseEngine } from './choose.ts';
import type { Engine } from './engine.ts';

const unopened = (): never => assert.fail('nothing is opened to choose');
const engines = {
  kvm: { name: 'kvm', available: () => 'this machine has no /dev/kvm', open: unopened },
  interpreter: { name: 'interpreter', available: () => true, open: unopened },
} satisfies Record<string, Engine>;
const useful = { useful: true, sentence: 'it runs' };
const slow = { useful: false, sentence: 'it interprets' };

test('auto takes KVM when it is of use, and says why', () => {
  assert.deepEqual(chooseEngine('auto', engines, () => useful), { engine: engines.kvm, why: 'kvm: it runs' });
  assert.deepEqual(chooseEngine('auto', engines, () => slow), { engine: engines.interpreter, why: 'interpreter: it interprets' });
});

test('what is asked for is taken, without a probe, or refused in one line', () => {
  assert.equal(chooseEngine('interpreter', engines, unopened).engine, engines.interpreter);
  assert.throws(
    () => chooseEngine('kvm', engines, unopened),
    (error) => error instanceof DelosError && error.code === 'unsupported' && error.message === 'the engine kvm can\'t be used: this machine has no /dev/kvm',
  );
});
