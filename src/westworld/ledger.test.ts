import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from './ledger.ts';
import { link } from './link.ts';
import { Crash, Mapping } from './mapping.ts';

test('four gibibytes cost a page for each page that is written', () => {
  const memory = new Mapping(0n, 1n << 32n);
  memory.write((1n << 32n) - 4098n, Uint8Array.of(1, 2, 3));
  assert.equal(memory.pages, 2);
  assert.deepEqual([...memory.bytes((1n << 32n) - 4099n, 5)], [0, 1, 2, 3, 0]);
});

test('outside a mapping is a crash, its end is not', () => {
  const memory = new Mapping(0n, 4096n);
  assert.deepEqual([...memory.bytes(4096n, 0)], []);
  for (const [at, length] of [[4096n, 1], [4095n, 2], [-1n, 1], [(1n << 64n) - 1n, 1]] as const) assert.throws(() => memory.bytes(at, length), Crash);
  assert.throws(() => memory.write(4095n, Uint8Array.of(1, 2)), Crash);
});

test('what is freed is gone: using it, or freeing it again, crashes', () => {
  const program = link();
  const ford = program.kvm_open() ?? assert.fail();
  const memory = program.mmap('memory', 4096n) ?? assert.fail();
  program.free(ford);
  program.munmap(memory);
  assert.throws(() => ford.fd, TypeError);
  assert.throws(() => program.free(ford), Crash);
  assert.throws(() => memory.bytes(0n, 1), Crash);
  assert.throws(() => program.munmap(memory), Crash);
});

test('the ledger has every allocation by name and in order', () => {
  const ledger = new Ledger();
  const program = link({}, { ledger });
  const host = program.ford_creates_host(1);
  const made = ['WestworldHost', 'KvmDevice', 'KvmVm', 'guest_memory', 'KvmVcpu', 'kvm_run', 'EptContext', 'SerialPort'];
  assert.deepEqual(ledger.leaks, made);
  program.ford_retires_host(host);
  assert.deepEqual(ledger.entries.map(({ kind, what }) => `${kind} ${what}`), [...made.map((what) => `made ${what}`), ...made.toReversed().map((what) => `released ${what}`)]);
});

test('one allocation can be made to fail', () => {
  const ledger = new Ledger(1);
  const program = link({}, { ledger });
  assert.notEqual(program.malloc('first', {}), null);
  assert.equal(ledger.refused, false);
  assert.equal(program.mmap('second', 4096n), null);
  assert.equal(ledger.refused, true);
  assert.notEqual(program.malloc('third', {}), null);
});

test('mmap refuses no size, and more than there are addresses', () => {
  const program = link();
  for (const size of [0n, -1n, (1n << 47n) + 1n]) assert.equal(program.mmap('memory', size), null);
});
