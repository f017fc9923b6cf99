import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PanicWatch } from './panic-watch.ts';

function said(text: string): string | undefined {
  const watch = new PanicWatch();
  for (const byte of Buffer.from(text)) watch.take(byte);
  return watch.message;
}

test('the first line of a panic is kept', () => {
  const text = '[    1.0] VFS: mounted\r\n[    1.5] Kernel panic - not syncing: No working init found.\r\n[    1.6] Kernel panic - not syncing: again\r\n';
  assert.equal(said(text), 'No working init found.');
});

test('nothing else is one, and not before its line has ended', () => {
  assert.equal(said('panic\nKernel panic - not syncing: yet'), undefined);
  assert.equal(said(`${'x'.repeat(5000)}Kernel panic - not syncing: far out\n`), undefined);
});
