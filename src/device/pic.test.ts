import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyAccess, assertResumes, Bench } from '../../test/support/device-bench.ts';
import { PicPair } from './pic.ts';

function build(bench: Bench): { bench: Bench; pic: PicPair } {
  const pic = new PicPair(bench.line('intr'));
  bench.bus.ports.attach(0x20, 2, pic.master);
  bench.bus.ports.attach(0xa0, 2, pic.slave);
  bench.bus.ports.attach(0x4d0, 2, pic.elcr);
  bench.stateful.push(pic);
  return { bench, pic };
}

/** As Linux and SeaBIOS initialise them: vectors 8-15 and 112-119, all unmasked. */
function initialised(icw4 = 0x01): { bench: Bench; pic: PicPair } {
  const built = build(new Bench());
  const { bench } = built;
  bench.out(0x20, 0x11);
  for (const word of [0x08, 0x04, icw4, 0]) bench.out(0x21, word);
  bench.out(0xa0, 0x11);
  for (const word of [0x70, 0x02, icw4, 0]) bench.out(0xa1, word);
  return built;
}

/** In-service registers of both. */
function inService(bench: Bench): [number, number] {
  bench.out(0x20, 0x0b);
  bench.out(0xa0, 0x0b);
  return [bench.in(0x20), bench.in(0xa0)];
}

test('before it is initialised everything is masked', () => {
  const { bench, pic } = build(new Bench());
  pic.set(1, true);
  assert.deepEqual([bench.in(0x21), bench.in(0xa1), bench.in(0x20), pic.pending], [0xff, 0xff, 0x02, false]);
});

test('a request, its vector, its service, its end', () => {
  const { bench, pic } = initialised();
  pic.set(4, true);
  assert.deepEqual([bench.logged(), bench.in(0x20)], [['intr+'], 0x10]);
  assert.equal(pic.acknowledge(), 0x0c);
  assert.deepEqual([bench.logged(), bench.in(0x20), inService(bench)], [['intr-'], 0, [0x10, 0]]);
  pic.set(4, false);
  pic.set(4, true);
  assert.equal(pic.pending, false, 'not again while it is in service');
  bench.out(0x20, 0x20);
  assert.deepEqual([pic.pending, inService(bench)], [true, [0, 0]]);
});

test('a higher priority interrupts a lower one, not the other way round', () => {
  const { bench, pic } = initialised();
  pic.set(5, true);
  assert.equal(pic.acknowledge(), 0x0d);
  pic.set(6, true);
  assert.equal(pic.pending, false);
  pic.set(3, true);
  assert.equal(pic.acknowledge(), 0x0b);
  assert.deepEqual(inService(bench), [0x28, 0]);
  bench.out(0x20, 0x20);
  assert.deepEqual(inService(bench), [0x20, 0], 'the most urgent one is ended');
  bench.out(0x20, 0x65);
  assert.deepEqual(inService(bench), [0, 0], 'one is ended by its number');
  assert.equal(pic.acknowledge(), 0x0e);
});

test('the mask', () => {
  const { bench, pic } = initialised();
  bench.out(0x21, 0x10);
  pic.set(4, true);
  assert.deepEqual([bench.in(0x21), bench.in(0x20), pic.pending], [0x10, 0x10, false]);
  bench.out(0x21, 0);
  assert.equal(pic.pending, true);
});

test('the slave calls through input 2, and both want their end', () => {
  const { bench, pic } = initialised();
  pic.set(8, true);
  pic.set(3, true);
  assert.equal(bench.in(0x20), 0x0c);
  assert.equal(pic.acknowledge(), 0x70, 'IRQ 8 is before IRQ 3');
  assert.deepEqual(inService(bench), [0x04, 0x01]);
  assert.equal(pic.pending, false);
  bench.out(0xa0, 0x20);
  bench.out(0x20, 0x20);
  assert.equal(pic.acknowledge(), 0x0b);
});

test('special fully nested mode lets a more urgent one of the slave through', () => {
  const { bench, pic } = initialised();
  bench.out(0x20, 0x11);
  for (const word of [0x08, 0x04, 0x11, 0]) bench.out(0x21, word);
  pic.set(12, true);
  assert.equal(pic.acknowledge(), 0x74);
  pic.set(14, true);
  assert.equal(pic.pending, false);
  pic.set(9, true);
  assert.equal(pic.acknowledge(), 0x71);
});

test('what is withdrawn is a spurious IRQ 7, or 15, that is not in service', () => {
  const { bench, pic } = initialised();
  pic.set(5, true);
  pic.set(5, false);
  assert.deepEqual([pic.pending, pic.acknowledge(), inService(bench)], [false, 0x0f, [0, 0]]);
});

test('edges come once, levels as long as they are there', () => {
  const { bench, pic } = initialised();
  bench.out(0x4d0, 0xff);
  bench.out(0x4d1, 0xff);
  assert.deepEqual([bench.in(0x4d0), bench.in(0x4d1)], [0xf8, 0xde]);
  bench.out(0x4d0, 0x20);
  for (const irq of [5, 6]) pic.set(irq, true);
  assert.equal(pic.acknowledge(), 0x0d);
  bench.out(0x20, 0x20);
  assert.equal(pic.acknowledge(), 0x0d, 'the level');
  pic.set(5, false);
  bench.out(0x20, 0x20);
  assert.equal(pic.acknowledge(), 0x0e);
  bench.out(0x20, 0x20);
  assert.equal(pic.pending, false, 'the edge was taken');
});

test('ICW1 forgets edges and masks', () => {
  const { bench, pic } = initialised();
  bench.out(0x21, 0xff);
  pic.set(4, true);
  bench.out(0x20, 0x11);
  assert.equal(bench.in(0x20), 0);
  for (const word of [0x20, 0x04, 0x01]) bench.out(0x21, word);
  assert.deepEqual([bench.in(0x21), pic.pending], [0, false]);
});

test('a single controller has no ICW3, one without ICW4 none of its modes', () => {
  const { bench, pic } = initialised(0x03);
  bench.out(0x20, 0x12);
  bench.out(0x21, 0x40);
  bench.out(0x21, 0x7f);
  assert.equal(bench.in(0x21), 0x7f, 'the mask already');
  pic.set(7, true);
  assert.equal(pic.acknowledge(), 0x47);
  assert.deepEqual(inService(bench), [0x80, 0], 'no automatic end');
});

test('automatic end, with and without rotation', () => {
  const { bench, pic } = initialised(0x03);
  pic.set(3, true);
  assert.deepEqual([pic.acknowledge(), inService(bench)], [0x0b, [0, 0]]);
  bench.out(0x20, 0x80);
  pic.set(4, true);
  pic.set(5, true);
  assert.equal(pic.acknowledge(), 0x0c);
  pic.set(4, false);
  pic.set(4, true);
  assert.equal(pic.acknowledge(), 0x0d, 'IRQ 4 has become the last');
  bench.out(0x20, 0x00);
  assert.equal(pic.acknowledge(), 0x0c);
});

test('rotation with an end, and a priority that is set', () => {
  const { bench, pic } = initialised();
  pic.set(1, true);
  assert.equal(pic.acknowledge(), 0x09);
  bench.out(0x20, 0xa0);
  pic.set(1, false);
  for (const irq of [1, 0, 3]) pic.set(irq, true);
  assert.equal(pic.acknowledge(), 0x0b, 'after IRQ 1 comes IRQ 2');
  bench.out(0x20, 0xe3);
  bench.out(0x20, 0xc0);
  assert.equal(pic.acknowledge(), 0x09, 'IRQ 0 is the last');
  assert.deepEqual(inService(bench), [0x02, 0]);
});

test('special mask mode: what is masked in service keeps nobody back', () => {
  const { bench, pic } = initialised();
  pic.set(4, true);
  pic.acknowledge();
  pic.set(6, true);
  bench.out(0x21, 0x10);
  assert.equal(pic.pending, false);
  bench.out(0x20, 0x68);
  assert.equal(pic.acknowledge(), 0x0e);
  bench.out(0x20, 0x20);
  bench.out(0x20, 0x20);
  assert.deepEqual(inService(bench), [0x10, 0], 'only its number ends it');
  bench.out(0x20, 0x64);
  assert.deepEqual(inService(bench), [0, 0]);
});

test('polling is an acknowledge', () => {
  const { bench, pic } = initialised();
  pic.set(10, true);
  bench.out(0x20, 0x0c);
  assert.equal(bench.in(0x20), 0x82);
  bench.out(0xa0, 0x0c);
  assert.equal(bench.in(0xa1), 0x82);
  assert.deepEqual(inService(bench), [0x04, 0x04]);
  bench.out(0xa0, 0x0c);
  assert.equal(bench.in(0xa0), 0);
});

test('a restored pair goes on as the saved one', () => {
  assertResumes(build, ({ pic }) => [
    anyAccess(0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1),
    (_bench, random) => pic.set(random(16), random(2) === 0),
    () => (pic.pending ? pic.acknowledge() : 'nothing'),
  ]);
});
