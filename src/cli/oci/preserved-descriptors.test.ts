import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preservedDescriptors } from './preserved-descriptors.ts';

test('the descriptors of socket activation come on top of those asked for', () => {
  assert.deepEqual(preservedDescriptors(0, {}), { preserveFds: 0, listenFds: 0 });
  assert.deepEqual(preservedDescriptors(2, { LISTEN_FDS: '' }), { preserveFds: 2, listenFds: 0 });
  assert.deepEqual(preservedDescriptors(2, { LISTEN_FDS: '3' }), { preserveFds: 5, listenFds: 3 });
});

test('what is no number of descriptors is refused', () => {
  assert.throws(() => preservedDescriptors(-1, {}), { code: 'bad-usage', message: /--preserve-fds: expected 0 to/ });
  for (const text of ['x', '-1', '1e3', '99999999']) assert.throws(() => preservedDescriptors(0, { LISTEN_FDS: text }), { code: 'bad-usage', message: /^LISTEN_FDS: / }, text);
});
