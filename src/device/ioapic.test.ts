import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertResumes, Bench } from '../../test/support/device-bench.ts';
import { IOAPIC_ADDRESS, IoApic } from './ioapic.ts';

function build(bench = new Bench()): { bench: Bench; ioapic: IoApic } {
  const send = (destination: number, logical: boolean, mode: number, vector: number, level: boolean): void => {
    bench.log.push(`${logical ? 'logical' : 'physical'} ${destination.toString(16)} mode ${mode} vector ${vector.toString(16)} ${level ? 'level' : 'edge'}`);
  };
  const ioapic = new IoApic({ send });
  bench.bus.memory.attach(IOAPIC_ADDRESS, 0x1000, ioapic);
  bench.stateful.push(ioapic);
  return { bench, ioapic };
}

function read(bench: Bench, index: number): number {
  bench.bus.memory.write(IOAPIC_ADDRESS, 4, index);
  return bench.bus.memory.read(IOAPIC_ADDRESS + 0x10, 4);
}

function write(bench: Bench, index: number, value: number): void {
  bench.bus.memory.write(IOAPIC_ADDRESS, 4, index);
  bench.bus.memory.write(IOAPIC_ADDRESS + 0x10, 4, value);
}

function redirect(bench: Bench, pin: number, low: number, destination = 0): void {
  write(bench, 0x11 + 2 * pin, destination << 24);
  write(bench, 0x10 + 2 * pin, low);
}

test('after reset: 24 pins, all masked', () => {
  const { bench, ioapic } = build();
  assert.deepEqual([read(bench, 0), read(bench, 1), read(bench, 2)], [0, 0x170020, 0]);
  for (let pin = 0; pin < 24; pin++) {
    assert.deepEqual([read(bench, 0x10 + 2 * pin), read(bench, 0x11 + 2 * pin)], [0x10000, 0]);
    ioapic.set(pin, true);
  }
  assert.deepEqual([bench.logged(), read(bench, 0x40)], [[], 0]);
});

test('registers: the ID, the index, what can be written of an entry', () => {
  const { bench } = build();
  write(bench, 0, 0xffffffff);
  write(bench, 1, 0xffffffff);
  assert.deepEqual([read(bench, 0), read(bench, 1), bench.bus.memory.read(IOAPIC_ADDRESS, 4)], [0x0f000000, 0x170020, 1]);
  redirect(bench, 3, 0xffffffff, 0xff);
  assert.deepEqual([read(bench, 0x16), read(bench, 0x17)], [0x1afff, 0xff000000]);
  bench.bus.memory.write(IOAPIC_ADDRESS, 1, 0x17);
  assert.equal(bench.bus.memory.read(IOAPIC_ADDRESS + 0x13, 1), 0xff);
});

test('an edge is sent once, wherever its entry says', () => {
  const { bench, ioapic } = build();
  redirect(bench, 4, 0x0931, 0x0f);
  ioapic.set(4, true);
  ioapic.set(4, true);
  ioapic.set(4, false);
  assert.deepEqual(bench.logged(), ['logical f mode 1 vector 31 edge']);
  redirect(bench, 4, 0x10031, 1);
  ioapic.set(4, true);
  redirect(bench, 4, 0x0031, 1);
  assert.deepEqual(bench.logged(), [], 'lost while it was masked');
  ioapic.set(4, false);
  ioapic.set(4, true);
  assert.deepEqual(bench.logged(), ['physical 1 mode 0 vector 31 edge']);
});

test('a level is sent until nobody asserts it, after each end', () => {
  const { bench, ioapic } = build();
  redirect(bench, 9, 0x8040);
  ioapic.set(9, true);
  assert.deepEqual([bench.logged(), read(bench, 0x22)], [['physical 0 mode 0 vector 40 level'], 0xc040]);
  ioapic.set(9, false);
  ioapic.set(9, true);
  assert.deepEqual(bench.logged(), [], 'it is with a processor');
  ioapic.endOfInterrupt(0x41);
  assert.deepEqual(bench.logged(), []);
  ioapic.endOfInterrupt(0x40);
  assert.equal(bench.logged().length, 1);
  ioapic.set(9, false);
  bench.bus.memory.write(IOAPIC_ADDRESS + 0x40, 4, 0x40);
  assert.deepEqual([bench.logged(), read(bench, 0x22)], [[], 0x8040]);
});

test('a level waits while it is masked; an entry that becomes edge triggered forgets', () => {
  const { bench, ioapic } = build();
  redirect(bench, 9, 0x18040);
  ioapic.set(9, true);
  redirect(bench, 9, 0x8040);
  assert.equal(bench.logged().length, 1);
  redirect(bench, 9, 0x10040);
  assert.equal(read(bench, 0x22), 0x10040);
  redirect(bench, 9, 0x8040);
  assert.equal(bench.logged().length, 1, 'sent anew');
  redirect(bench, 9, 0xa040);
  assert.equal(read(bench, 0x22), 0xe040, 'the polarity is kept and means nothing');
});

test('a restored one goes on as the saved one', () => {
  assertResumes((bench) => build(bench).ioapic, (ioapic) => [
    (bench, random) => read(bench, random(0x42)),
    (bench, random) => write(bench, random(0x42), random(2) === 0 ? random(2 ** 32) : random(0x10000)),
    (_bench, random) => ioapic.set(random(26), random(2) === 0),
    (_bench, random) => ioapic.endOfInterrupt(random(256)),
    (bench, random) => bench.bus.memory.write(IOAPIC_ADDRESS + random(0x48), 1, random(256)),
  ]);
});
