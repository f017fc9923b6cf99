import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EACCES } from '../abi/errno.ts';
import { buffer, cell } from './block.ts';
import { argumentsOffset, base, encode, sharedSize, stepSize } from './encode.ts';
import { readRefusal, readStatus, wasTaken } from './refusal.ts';
import { call, type Item } from './step.ts';

/** A plan that was run and came to `failed`, counted from 1. */
function refused(items: Item[], failed: number, error: number, result = -error): Uint8Array {
  const { bytes } = encode({ sections: [{ name: 'only', items: [...items, call('exit_group', [1], 'the end')] }] });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint32(24, failed, true);
  view.setInt32(28, error, true);
  view.setBigInt64(32, BigInt(result), true);
  // The executor puts the call's arguments there, cells resolved.
  const step = sharedSize + (failed - 1) * stepSize;
  const copied = failed > 0 && step + stepSize <= bytes.length ? 6 : 0;
  for (let index = 0; index < copied; index++) {
    const value = view.getBigInt64(step + 8 + 8 * index, true);
    const isCell = (view.getUint32(step + 4, true) >> index) & 1;
    view.setBigInt64(argumentsOffset + 8 * index, isCell ? view.getBigInt64(Number(value) - base, true) : value, true);
  }
  return bytes;
}

test('the call, its arguments, the errno and the reason come back', () => {
  const fd = cell('folder', -1);
  const items = [call('umask', [0], 'a'), call('mkdirat', [fd, 'new "x"', 0o755], '/mounts/0')];
  assert.deepEqual(readRefusal(refused(items, 2, EACCES)), {
    call: 'mkdirat', text: 'mkdirat(dirfd: -1, path: "new \\"x\\"", mode: 0755)', errno: 'EACCES', result: -EACCES, why: '/mounts/0',
  });
  const short = readRefusal(refused([call('write', [1, buffer(8, 'b'), 8], 'b', { want: 8 })], 1, 0, 3));
  assert.deepEqual([short?.errno, short?.result], ['', 3]);
});

test('a plan that was not refused says nothing, and one that has not ended has no status', () => {
  const bytes = refused([], 0, 0);
  assert.equal(readRefusal(bytes), undefined);
  assert.equal(readStatus(bytes), undefined);
  assert.equal(wasTaken(bytes), false);
  const view = new DataView(bytes.buffer);
  view.setInt32(56, 137, true);
  view.setInt32(40, 5, true);
  assert.equal(readStatus(bytes), 137);
  assert.equal(wasTaken(bytes), true);
});

test('a report that names no step, or is no plan, is an assertion', () => {
  assert.throws(() => readRefusal(refused([], 2, EACCES)), /assertion: the report names no step/);
  assert.throws(() => readRefusal(new Uint8Array(64)), /assertion: no plan/);
  assert.throws(() => readRefusal(new Uint8Array(3)), /assertion: no plan/);
  const unknown = refused([], 1, EACCES);
  new DataView(unknown.buffer).setUint32(sharedSize, 0x7777, true);
  assert.throws(() => readRefusal(unknown), /assertion: the plan has a call 30583/);
});

test('pointers out of the plan are not followed', () => {
  const bytes = refused([call('mkdirat', [cell('fd'), '/a', 0], 'x')], 1, EACCES);
  const view = new DataView(bytes.buffer);
  for (const address of [0n, -1n, 0x10000000n + BigInt(bytes.length), 0x10000000n - 1n, 1n << 62n]) {
    view.setBigInt64(argumentsOffset, 5n, true);
    view.setBigInt64(argumentsOffset + 8, address, true);
    const { text } = readRefusal(bytes) ?? { text: '' };
    assert.match(text, /^mkdirat\(dirfd: 5, path: NULL/, String(address));
  }
});
