/** Debian's own kernel on the processor that is written here. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { guestKernel } from '../../tools/vm/kernel.ts';
import { noBusybox, shellAndPowerOff } from '../support/linux-guest.ts';

test('it boots to a shell, which hears what is typed, and powers off', { skip: noBusybox }, async () => {
  const { end, text } = await shellAndPowerOff(new Uint8Array(readFileSync(guestKernel().vmlinux)));
  assert.deepEqual(end, { kind: 'power-off' }, text.slice(-4000));
});
