import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as capability from '../abi/capability.ts';
import { defaultCapabilities, grantedCapabilities } from './capabilities.ts';

const LAST = capability.CAP_CHECKPOINT_RESTORE;
const numbers = capability as Readonly<Record<string, number>>;
const mask = (names: readonly string[]): number => names.reduce((sum, name) => sum + 2 ** (numbers[name] ?? assert.fail(name)), 0);
const granted = (add: string[], drop: string[], privileged = false, last = LAST): string[] =>
  grantedCapabilities({ 'cap-add': add, 'cap-drop': drop, privileged }, last);

test('the default is the mask every docker container shows in /proc/self/status', () => {
  assert.equal(mask(defaultCapabilities), 0xa80425fb);
  assert.deepEqual(granted([], []), defaultCapabilities);
});

test('adding and dropping', () => {
  assert.equal(mask(granted([], ['CHOWN'])), 0xa80425fb - 1);
  assert.deepEqual(granted(['net_admin', 'CAP_NET_ADMIN'], ['ALL']), ['CAP_NET_ADMIN']);
  assert.deepEqual(granted([], ['all']), []);
  assert.equal(granted(['ALL'], ['sys_admin']).length, LAST);
  assert.equal(granted(['ALL'], ['ALL']).length, LAST + 1);
  assert.equal(granted([], ['ALL'], true).length, LAST + 1, 'privileged has them whatever is dropped');
});

test('an older kernel has fewer', () => {
  assert.equal(granted(['ALL'], [], false, 37).length, 38);
  assert.throws(() => granted(['BPF'], [], false, 37), { code: 'bad-usage', message: "invalid --cap-add 'BPF': this kernel does not know it" });
});
