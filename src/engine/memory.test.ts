import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DelosError } from '../lib/errors.ts';
import { createGuestMemory } from './memory.ts';

const rom = { guestAddress: 0xfffc0000, size: 0x40000, readOnly: true };
const ram = { guestAddress: 0, size: 0x100000 };

test('regions lie one behind the other, behind what is reserved', () => {
  const memory = createGuestMemory([rom, ram], 100);
  assert.deepEqual(memory.regions, [
    { guestAddress: 0, size: 0x100000, offset: 0x10000, readOnly: false },
    { guestAddress: 0xfffc0000, size: 0x40000, offset: 0x110000, readOnly: true },
  ]);
  assert.equal(memory.memory.buffer.byteLength, 0x150000);
  assert.ok(memory.memory.buffer instanceof SharedArrayBuffer);
});

test('bytes are a view of the memory, of one region', () => {
  const memory = createGuestMemory([ram, rom]);
  memory.bytes(0xffffc, 4).set([1, 2, 3, 4]);
  memory.bytes(0xfffffff0, 16)[0] = 0xea;
  const all = new Uint8Array(memory.memory.buffer);
  assert.deepEqual([...all.subarray(0xffffc, 0x100000)], [1, 2, 3, 4]);
  assert.equal(all[0x100000 + 0x3fff0], 0xea);
  assert.equal(memory.bytes(0, 0x100000).length, 0x100000);
  for (const [address, length] of [[0xffffd, 4], [-1, 1], [0x100000, 1], [0xfffc0000, 0x40001], [0, -1], [0, 0x100001]] as const) {
    assert.throws(() => memory.bytes(address, length), RangeError, `${address} ${length}`);
  }
});

test('regions that can\'t be are refused', () => {
  for (const [wanted, message] of [
    [[], /at address 0/],
    [[rom], /at address 0/],
    [[{ guestAddress: 0, size: 5000 }], /whole pages/],
    [[{ guestAddress: 0, size: 0 }], /whole pages/],
    [[ram, { guestAddress: 0x1000, size: 4096 }], /0x1000 overlaps .* 0x100000/],
    [[{ guestAddress: 0, size: 2 ** 32 }, { guestAddress: 2 ** 32, size: 4096 }], /4 GiB/],
  ] as const) {
    assert.throws(() => createGuestMemory(wanted), (error) => error instanceof DelosError && error.code === 'bad-machine' && message.test(error.message));
  }
});
