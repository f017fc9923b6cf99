import assert from 'node:assert/strict';
import { test } from 'node:test';
import { struct } from './layout.ts';
import { record } from './record.ts';

const layout = struct('mixed', { a: 'u8', list: ['u16', 3], b: 'u32', signed: 'i32', wide: 'u64', time: 'f64', tail: ['u8', 5] });

test('members have natural alignment, arrays that of their elements', () => {
  assert.deepEqual(Object.values(layout.fields).map(({ offset, count }) => [offset, count]), [[0, 1], [2, 3], [8, 1], [12, 1], [16, 1], [24, 1], [32, 5]]);
  assert.equal(layout.size, 40);
});

test('what is written by name is in the bytes, modulo its width', () => {
  const bytes = new Uint8Array(layout.size + 3);
  const view = record(layout, bytes);
  Object.assign(view, { a: 0x1ff, b: -1, signed: -2, wide: 0x0102030405060708n, time: 1.5 });
  view.list[1] = 0x12345;
  view.tail[4] = 7;
  assert.deepEqual([view.a, view.b, view.signed, view.wide, view.time, view.list[1]], [0xff, 0xffffffff, -2, 0x0102030405060708n, 1.5, 0x2345]);
  const expected = ['ff00', '000045230000', 'ffffffff', 'feffffff', '0807060504030201', '000000000000f83f', '0000000007', '000000', '000000'];
  assert.equal(Buffer.from(bytes).toString('hex'), expected.join(''));
});

test('bytes written from outside are seen, and views of other bytes are apart', () => {
  const [one, other] = [new Uint8Array(layout.size), new Uint8Array(layout.size)];
  const views = [record(layout, one), record(layout, other)];
  one.set([1, 2, 0, 0, 9]);
  assert.deepEqual(views.map((view) => [view.a, view.list[1]]), [[1, 9], [0, 0]]);
  assert.deepEqual(Object.keys(layout.fields), ['a', 'list', 'b', 'signed', 'wide', 'time', 'tail']);
});

test('too few bytes are refused', () => {
  assert.throws(() => record(layout, new Uint8Array(layout.size - 1)), RangeError);
});
