import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENOENT } from '../abi/errno.ts';
import { syscalls } from '../abi/syscalls.ts';
import { struct } from '../lib/layout.ts';
import { addressOf, buffer, bytes, cell, cString, cStrings, member, record, sharedCell } from './block.ts';
import { base, encode, headerSize, planFd, sharedSize, stepSize, type EncodedPlan } from './encode.ts';
import { call, jump, Label, type Item, type Plan } from './step.ts';

const exit = call('exit_group', [0], 'the end');

function planOf(...items: Item[]): Plan {
  return { sections: [{ name: 'only', items: [...items, exit] }] };
}

/** The fields of a step as native/plan.h has them. */
function stepAt({ bytes: image }: EncodedPlan, index: number) {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const at = view.getUint32(12, true) + index * stepSize;
  const u32 = (offset: number): number => view.getUint32(at + offset, true);
  return {
    call: u32(0), contents: u32(4), args: [0, 1, 2, 3, 4, 5].map((arg) => view.getBigInt64(at + 8 + 8 * arg, true)),
    out: u32(56), child: u32(60), want: view.getInt32(at + 64, true), narrow: view.getUint16(at + 68, true), why: view.getUint16(at + 70, true),
    accept: [0, 1, 2, 3].map((entry) => [view.getUint16(at + 72 + 4 * entry, true), view.getUint16(at + 74 + 4 * entry, true)]),
  };
}

function textAt({ bytes: image }: EncodedPlan, address: bigint): string {
  const start = Number(address) - base;
  return new TextDecoder().decode(image.subarray(start, image.indexOf(0, start)));
}

test('the header names version, size, steps and reasons, and no result yet', () => {
  const { bytes: image } = encode(planOf(call('umask', [0o22], 'a'), call('umask', [0o77], 'b'), call('umask', [0], 'a')));
  const header = new DataView(image.buffer, image.byteOffset);
  assert.deepEqual([0, 4, 8, 12, 16, 20, 24, 28].map((at) => header.getUint32(at, true)), [0x4e4c5044, 1, image.length, sharedSize, 4, 0, 0, 0]);
  const [at, size] = [header.getUint32(48, true), header.getUint32(52, true)];
  assert.equal(new TextDecoder().decode(image.subarray(at, at + size)), 'a\0b\0the end\0');
  assert.equal(header.getInt32(56, true), -1);
  assert.equal(image.length % 8, 0);
});

test('numbers of every size keep their 64 bits', () => {
  const values = [0, 1, -1, -100, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 2 ** 53 - 1, -(2 ** 31), -(2 ** 40), 0xffffffffffffffffn, 1n << 63n, -5n, 0x123456789abcdefn];
  for (const value of values) {
    const encoded = encode(planOf(call('umask', [value], 'x')));
    assert.equal(stepAt(encoded, 0).args[0], BigInt.asIntN(64, BigInt(value)), String(value));
  }
});

test('an argument is a number, the address of bytes, or the contents of a cell', () => {
  const fd = cell('fd', -1);
  const encoded = encode(planOf(call('openat', [-100, '/etc/παssword', 0, 0], 'x', { out: fd }), call('read', [fd, addressOf(fd), 8], 'x')));
  const [open, read] = [stepAt(encoded, 0), stepAt(encoded, 1)];
  assert.equal(open.call, syscalls.openat[0]);
  assert.equal(textAt(encoded, open.args[1] ?? 0n), '/etc/παssword');
  assert.equal(open.out, base + encoded.offset(fd));
  assert.deepEqual([open.contents, read.contents], [0, 1]);
  assert.deepEqual(read.args.slice(0, 2), [BigInt(open.out), BigInt(open.out)]);
  assert.equal(new DataView(encoded.bytes.buffer).getBigInt64(encoded.offset(fd), true), -1n);
});

test('a shared cell is in the page that all processes see, with its first value', () => {
  const pid = sharedCell('pid', 7);
  const encoded = encode(planOf(call('getpid', [], 'x', { out: pid }), call('umask', [pid], 'x'), call('umask', [cell('own')], 'x')));
  assert.equal(encoded.offset(pid), headerSize);
  assert.equal(new DataView(encoded.bytes.buffer).getBigInt64(headerSize, true), 7n);
  assert.throws(() => encode(planOf(...Array.from({ length: 600 }, () => call('umask', [sharedCell('many')], 'x')))), /more shared cells/);
});

test('equal strings and one block are stored once', () => {
  const shared = bytes(new Uint8Array(1000).fill(7), 'shared');
  const encoded = encode(planOf(call('mkdir', ['/a', 0], 'x'), call('rmdir', ['/a'], 'x'), call('mount', [shared, shared, 0, 0, 0], 'x')));
  assert.equal(stepAt(encoded, 0).args[0], stepAt(encoded, 1).args[0]);
  assert.equal(stepAt(encoded, 2).args[0], stepAt(encoded, 2).args[1]);
  assert.ok(encoded.bytes.length < sharedSize + 4 * stepSize + 1000 + 200);
});

test('links between blocks become addresses, in a circle too', () => {
  const argv = cStrings(['ls', '-l']);
  const [a, b] = [buffer(16, 'a'), buffer(16, 'b')];
  a.link(8, b);
  b.link(0, a);
  const encoded = encode(planOf(call('execve', ['/bin/ls', argv, a], 'x')));
  const view = new DataView(encoded.bytes.buffer);
  const [, list = 0n, first = 0n] = stepAt(encoded, 0).args;
  const pointer = (address: bigint): bigint => view.getBigUint64(Number(address) - base, true);
  assert.deepEqual([textAt(encoded, pointer(list)), textAt(encoded, pointer(list + 8n)), pointer(list + 16n)], ['ls', '-l', 0n]);
  assert.equal(pointer(pointer(first + 8n)), first);
});

test('a plan outgrows its first buffer without losing anything', () => {
  const long = 'x'.repeat(100_000);
  const encoded = encode(planOf(call('mkdir', ['/first', 0], 'x'), call('mkdir', [long, 0], 'x'), call('mkdir', [bytes(new Uint8Array(300_000).fill(9), ''), 0], 'x')));
  assert.equal(textAt(encoded, stepAt(encoded, 0).args[0] ?? 0n), '/first');
  assert.equal(textAt(encoded, stepAt(encoded, 1).args[0] ?? 0n), long);
  assert.equal(encoded.bytes.lastIndexOf(9) - encoded.bytes.indexOf(9), 299_999);
});

test('labels become the numbers of the steps after them', () => {
  const [start, end, child] = [new Label('start'), new Label('end'), new Label('child')];
  const encoded = encode({
    sections: [
      { name: 'one', items: [start, call('umask', [0], 'x', { accept: { ENOENT: end, any: 'next' } }), call('clone3', [0, 88], 'x', { child }), end, jump(start, 'x')] },
      { name: 'two', items: [child, exit] },
    ],
  });
  assert.deepEqual(stepAt(encoded, 0).accept, [[ENOENT, 2], [0xffff, 0xffff], [0, 0], [0, 0]]);
  assert.equal(stepAt(encoded, 1).child, 3);
  assert.equal(stepAt(encoded, 2).args[0], 0n);
});

test('a member of 4 bytes is a narrow cell at its place', () => {
  const layout = struct('pair', { first: 'u32', second: 'u32' });
  const pair = record(layout, { first: 1 });
  const second = member(pair, layout, 'second');
  const encoded = encode(planOf(call('umask', [0], 'x', { out: second, want: 3 }), call('umask', [pair], 'x')));
  const { out, narrow, want } = stepAt(encoded, 0);
  assert.deepEqual([BigInt(out), narrow, want], [(stepAt(encoded, 1).args[0] ?? 0n) + 4n, 1, 3]);
  assert.deepEqual([stepAt(encoded, 1).narrow, stepAt(encoded, 1).want], [0, -0x80000000]);
});

test("the plan's own descriptor is a cell of the header", () => {
  const encoded = encode(planOf(call('close', [planFd], 'x')));
  assert.deepEqual([stepAt(encoded, 0).args[0], stepAt(encoded, 0).contents], [BigInt(base + 40), 1]);
});

test('the same plan gives the same bytes', () => {
  const plan = planOf(call('mkdir', ['/a', 0o755], 'x'), call('mkdir', [cString('/b'), 0o755], 'y'));
  assert.deepEqual(encode(plan).bytes, encode(plan).bytes);
});

test('what is our own mistake is an assertion', () => {
  const nowhere = new Label('nowhere');
  assert.throws(() => encode(planOf(jump(nowhere, 'x'))), /assertion: no step is labelled nowhere/);
  assert.throws(() => encode(planOf(call('clone3', [0, 88], 'x', { child: nowhere }))), /no step is labelled nowhere/);
  assert.throws(() => encode(planOf(call('umask', [0], 'x', { accept: { EPERM: nowhere } }))), /no step is labelled nowhere/);
  const accept = { EPERM: 'next', ENOENT: 'next', EIO: 'next', EBADF: 'next' } as const;
  encode(planOf(call('umask', [0], 'x', { accept })));
  assert.throws(() => encode(planOf(call('umask', [0], 'x', { accept: { ...accept, EAGAIN: 'next' } }))), /umask accepts more than four errors/);
  assert.throws(() => encode({ sections: [{ name: 'open', items: [call('umask', [0], 'x')] }] }), /section open runs off its end/);
  assert.throws(() => encode({ sections: [{ name: 'none', items: [] }] }), /section none runs off its end/);
  assert.throws(() => encode(planOf(...Array.from({ length: 0xffff }, () => exit))), /a plan of 65536 steps/);
  assert.throws(() => call('umask', [], 'x'), /umask takes 1 arguments, the plan gives 0/);
});
