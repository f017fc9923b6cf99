import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyAccess, assertResumes, Bench, timePasses } from '../../test/support/device-bench.ts';
import { timeOfTick } from './frequency.ts';
import { Pit, PIT_HERTZ } from './pit.ts';
import { Port61 } from './port61.ts';

function build(bench = new Bench()): { bench: Bench; pit: Pit } {
  const pit = new Pit(bench.clock, bench.line('irq0'));
  const port61 = new Port61(bench.clock, pit);
  bench.bus.ports.attach(0x40, 4, pit);
  bench.bus.ports.attach(0x61, 1, port61);
  bench.stateful.push(pit, port61);
  return { bench, pit };
}

/** Lets so many pulses pass. Times of the tests begin at pulse 0. */
function pulses(bench: Bench, count: number): void {
  const now = bench.clock.now();
  const tick = Math.round((now * PIT_HERTZ) / 1e9);
  bench.clock.advance(timeOfTick(tick + count, PIT_HERTZ) - now);
}

/** Programs a counter with a count of two bytes; the count is loaded with the next pulse, and that is waited for. */
function start(bench: Bench, counter: number, mode: number, count: number, bcd = 0): void {
  bench.out(0x43, (counter << 6) | 0x30 | (mode << 1) | bcd);
  bench.out(0x40 + counter, count & 0xff);
  bench.out(0x40 + counter, count >> 8);
  pulses(bench, 1);
}

function counted(bench: Bench, counter: number): number {
  bench.out(0x43, counter << 6);
  return bench.in(0x40 + counter) | (bench.in(0x40 + counter) << 8);
}

/** OUT of counter 2 at so many pulses in a row, as port 61h shows it. */
function wave(bench: Bench, length: number): string {
  return Array.from({ length }, () => {
    const up = (bench.in(0x61) & 0x20) !== 0;
    pulses(bench, 1);
    return up ? '-' : '_';
  }).join('');
}

test('mode 0 counts down once and then on, OUT rises at zero', () => {
  const { bench } = build();
  bench.logged();
  start(bench, 0, 0, 5);
  assert.deepEqual([counted(bench, 0), bench.logged()], [5, ['irq0-']]);
  pulses(bench, 4);
  assert.deepEqual([counted(bench, 0), bench.logged()], [1, []]);
  pulses(bench, 1);
  assert.deepEqual([counted(bench, 0), bench.logged()], [0, ['irq0+']]);
  pulses(bench, 3);
  assert.deepEqual([counted(bench, 0), bench.logged()], [0xfffd, []]);
});

test('mode 0: the first of two bytes stops it', () => {
  const { bench } = build();
  start(bench, 0, 0, 5);
  bench.logged();
  bench.out(0x40, 9);
  pulses(bench, 20);
  assert.deepEqual(bench.logged(), []);
  bench.out(0x40, 0);
  pulses(bench, 10);
  assert.deepEqual(bench.logged(), ['irq0+']);
});

test('mode 2: a period of N pulses, low for the last; it reloads', () => {
  const { bench } = build();
  start(bench, 0, 2, 4);
  bench.logged();
  const counts = Array.from({ length: 9 }, () => {
    const count = counted(bench, 0);
    pulses(bench, 1);
    return count;
  });
  assert.deepEqual([counts, bench.logged()], [[4, 3, 2, 1, 4, 3, 2, 1, 4], ['irq0-', 'irq0+', 'irq0-', 'irq0+']]);
});

test('mode 2 makes as many interrupts a second as its count says; 0 is 65536', () => {
  const { bench } = build();
  for (const [count, perSecond] of [[11932, 100], [0, 18]] as const) {
    start(bench, 0, 2, count);
    bench.logged();
    bench.clock.advance(1e9);
    assert.equal(bench.logged().filter((event) => event === 'irq0+').length, Math.floor(PIT_HERTZ / (count || 65536)));
    assert.equal(Math.floor(PIT_HERTZ / (count || 65536)), count === 0 ? perSecond : 99);
  }
});

test('mode 2: a count that is written later waits for the end of the period', () => {
  const { bench } = build();
  bench.out(0x61, 1);
  start(bench, 2, 2, 4);
  pulses(bench, 1);
  bench.out(0x42, 3);
  bench.out(0x42, 0);
  assert.equal(wave(bench, 10), '--_--_--_-');
});

test('mode 3: a square wave that counts by two; an odd count is high for one more', () => {
  const { bench } = build();
  bench.out(0x61, 1);
  start(bench, 2, 3, 6);
  const counts = Array.from({ length: 6 }, () => {
    const count = counted(bench, 2);
    pulses(bench, 1);
    return count;
  });
  assert.deepEqual(counts, [6, 4, 2, 6, 4, 2]);
  assert.equal(wave(bench, 12), '---___---___');
  start(bench, 2, 3, 5);
  assert.equal(wave(bench, 10), '---__---__');
});

test('mode 3: a count that is written later waits for the end of the half', () => {
  const { bench } = build();
  bench.out(0x61, 1);
  start(bench, 2, 3, 8);
  pulses(bench, 1);
  bench.out(0x42, 4);
  bench.out(0x42, 0);
  assert.equal(wave(bench, 9), '---__--__');
});

test('mode 1: each rise of the gate is a pulse of N', () => {
  const { bench } = build();
  start(bench, 2, 1, 3);
  assert.equal(wave(bench, 3), '---');
  bench.out(0x61, 1);
  pulses(bench, 1);
  assert.equal(wave(bench, 5), '___--');
  bench.out(0x61, 0);
  bench.out(0x61, 1);
  pulses(bench, 2);
  bench.out(0x61, 0);
  bench.out(0x61, 1);
  pulses(bench, 1);
  assert.equal(wave(bench, 5), '___--', 'triggered again');
});

test('modes 4 and 5: one low pulse after N', () => {
  const { bench } = build();
  bench.out(0x61, 1);
  start(bench, 2, 4, 3);
  assert.equal(wave(bench, 6), '---_--');
  start(bench, 2, 5, 2);
  assert.equal(wave(bench, 4), '----');
  bench.out(0x61, 0);
  bench.out(0x61, 1);
  pulses(bench, 1);
  assert.equal(wave(bench, 5), '--_--');
});

test('the gate holds modes 0 and 4, and sets 2 and 3 back', () => {
  const { bench } = build();
  bench.out(0x61, 1);
  start(bench, 2, 0, 100);
  pulses(bench, 40);
  bench.out(0x61, 0);
  pulses(bench, 1000);
  assert.equal(counted(bench, 2), 60);
  bench.out(0x61, 1);
  pulses(bench, 60);
  assert.equal(wave(bench, 1), '-');
  start(bench, 2, 2, 4);
  pulses(bench, 3);
  bench.out(0x61, 0);
  assert.equal(wave(bench, 5), '-----');
  bench.out(0x61, 1);
  pulses(bench, 1);
  assert.equal(wave(bench, 5), '---_-');
});

test('decimal counting', () => {
  const { bench } = build();
  start(bench, 0, 2, 0x1000, 1);
  pulses(bench, 1);
  assert.equal(counted(bench, 0), 0x999);
  start(bench, 0, 0, 0, 1);
  pulses(bench, 1);
  assert.equal(counted(bench, 0), 0x9999);
});

test('a latched count stays until it was read; low and high byte alone', () => {
  const { bench } = build();
  start(bench, 0, 2, 0x1234);
  bench.out(0x43, 0x00);
  pulses(bench, 10);
  bench.out(0x43, 0x00);
  assert.deepEqual([bench.in(0x40), bench.in(0x40)], [0x34, 0x12]);
  assert.deepEqual([bench.in(0x40), bench.in(0x40)], [0x2a, 0x12], 'and then as it runs');
  bench.out(0x43, 0x14);
  bench.out(0x40, 0x80);
  pulses(bench, 1);
  assert.deepEqual([bench.in(0x40), bench.in(0x40)], [0x80, 0x80]);
  bench.out(0x43, 0x24);
  bench.out(0x40, 0x80);
  pulses(bench, 1);
  assert.deepEqual([bench.in(0x40), bench.in(0x40)], [0x80, 0x80]);
});

test('read-back: status, then count, of several counters', () => {
  const { bench } = build();
  bench.out(0x43, 0x34);
  bench.out(0x43, 0xe2);
  assert.equal(bench.in(0x40), 0xf4, 'OUT high, no count yet, both bytes, mode 2');
  start(bench, 0, 2, 0x1234);
  start(bench, 2, 1, 7);
  bench.out(0x43, 0xca);
  pulses(bench, 5);
  assert.deepEqual([bench.in(0x40), bench.in(0x40), bench.in(0x40)], [0xb4, 0x33, 0x12]);
  assert.equal(bench.in(0x42), 0xf2, 'its count waits for the trigger');
  assert.equal(bench.in(0x43), 0xff);
});

test('port 61h keeps its four bits, and bit 4 toggles all the time', () => {
  const { bench } = build();
  bench.out(0x61, 0xff);
  assert.equal(bench.in(0x61) & 0xcf, 0x0f);
  const seen = new Set(Array.from({ length: 40 }, () => {
    bench.clock.advance(5000);
    return bench.in(0x61) & 0x10;
  }));
  assert.equal(seen.size, 2);
});

test('edges that nobody looked at are one edge', () => {
  const { bench } = build();
  start(bench, 0, 2, 100);
  bench.logged();
  bench.clock.oversleep(1e6);
  assert.deepEqual(bench.logged(), ['irq0-', 'irq0+']);
  assert.ok(bench.clock.next() > bench.clock.now());
});

test('a rise that nobody looked at is an edge, though OUT is low before and after', () => {
  const { bench } = build();
  start(bench, 0, 3, 1000);
  pulses(bench, 400);
  bench.logged();
  bench.clock.oversleep(timeOfTick(1300, PIT_HERTZ));
  assert.deepEqual(bench.logged(), ['irq0-', 'irq0+', 'irq0-']);
});

test('a restored timer goes on as the saved one', () => {
  assertResumes((bench) => build(bench).pit, () => [anyAccess(0x40, 0x41, 0x42, 0x43, 0x61), timePasses(1e6)], { seeds: 40 });
});
