import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DelosError } from '../lib/errors.ts';
import { createBus } from './bus.ts';
import type { AccessSize, Device } from './device.ts';

/** A device that answers with where it was asked, and writes down what it got. */
function recorder(name: string, width?: AccessSize): Device & { log: string[] } {
  const log: string[] = [];
  return {
    name, log, ...(width !== undefined && { width }),
    read(offset, size) {
      log.push(`r${size}@${offset}`);
      return 0x11 * (offset + 1);
    },
    write: (offset, size, value) => void log.push(`w${size}@${offset}=${value.toString(16)}`),
  };
}

for (const space of ['ports', 'memory'] as const) {
  test(`${space}: what is not there reads as ones`, () => {
    const bus = createBus()[space];
    assert.deepEqual([bus.read(0x99, 1), bus.read(0x99, 2), bus.read(0xfffe, 4), bus.read(0x99, 4)], [0xff, 0xffff, 0xffffffff, 0xffffffff]);
    bus.write(0x99, 4, 1);
  });

  test(`${space}: a device of bytes gets bytes, one after the other`, () => {
    const bus = createBus()[space];
    const device = recorder('bytes');
    bus.attach(0x100, 4, device);
    assert.equal(bus.read(0x100, 4), 0x44332211);
    bus.write(0x101, 2, 0xabcd);
    assert.deepEqual(device.log.splice(0), ['r1@0', 'r1@1', 'r1@2', 'r1@3', 'w1@1=cd', 'w1@2=ab']);
  });

  test(`${space}: a wide device gets what is aligned as it is, the rest in halves`, () => {
    const bus = createBus()[space];
    const device = recorder('wide', 4);
    bus.attach(0x100, 8, device);
    bus.write(0x104, 4, -1);
    bus.write(0x102, 4, 0x12345678);
    assert.equal(bus.read(0x101, 2), 0x3322);
    assert.deepEqual(device.log, ['w4@4=ffffffff', 'w2@2=5678', 'w2@4=1234', 'r1@1', 'r1@2']);
  });

  test(`${space}: neighbours share an access across their border`, () => {
    const bus = createBus()[space];
    const [low, high] = [recorder('low', 4), recorder('high')];
    bus.attach(0x60, 1, low);
    bus.attach(0x61, 1, high);
    assert.equal(bus.read(0x60, 4), 0xffff1111);
    bus.write(0x60, 2, 0xabcd);
    assert.deepEqual([low.log, high.log], [['r1@0', 'w1@0=cd'], ['r1@0', 'w1@0=ab']]);
  });

  test(`${space}: overlap is refused, in one line with both names`, () => {
    const bus = createBus()[space];
    const sentence = /^second can't be at 0x\w+-0x\w+: first is at 0x100-0x107$/;
    bus.attach(0x100, 8, recorder('first'));
    for (const [start, length] of [[0x100, 8], [0xff, 2], [0x107, 1], [0, 0x1000], [0x102, 2]] as const) {
      const refused = (error: unknown): boolean => error instanceof DelosError && error.code === 'bad-machine' && sentence.test(error.message);
      assert.throws(() => bus.attach(start, length, recorder('second')), refused);
    }
    bus.attach(0xf0, 0x10, recorder('below'));
    bus.attach(0x108, 1, recorder('above'));
    assert.throws(() => bus.attach(-1, 1, recorder('outside')), /outside can't be/);
    assert.throws(() => bus.attach(space === 'ports' ? 0xffff : 2 ** 52 - 1, 2, recorder('outside')), /the space ends at/);
  });

  test(`${space}: a tracer sees every access once, as it was made`, () => {
    const bus = createBus()[space];
    bus.attach(0x100, 2, recorder('there'));
    const seen: unknown[] = [];
    bus.trace = (...access) => void seen.push(access);
    bus.read(0x100, 2);
    bus.write(0x80, 4, 5);
    bus.trace = undefined;
    bus.read(0x100, 1);
    assert.deepEqual(seen, [[false, 0x100, 2, 0x2211, 'there'], [true, 0x80, 4, 5, undefined]]);
  });
}

test('many devices in memory are each found, whatever was asked for before', () => {
  const { memory } = createBus();
  const order = [7, 2, 9, 0, 5, 1, 8, 3, 6, 4];
  for (const at of order) memory.attach(0xfe000000 + at * 0x2000, 0x1000, { name: `${at}`, read: () => at, write: () => undefined });
  for (const at of [...order, ...order.toReversed()]) {
    assert.equal(memory.read(0xfe000000 + at * 0x2000 + 0xfff, 1), at);
    assert.equal(memory.read(0xfe000000 + at * 0x2000 + 0x1000, 1), 0xff);
  }
});
