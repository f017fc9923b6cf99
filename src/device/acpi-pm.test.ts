import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertResumes, Bench, timePasses } from '../../test/support/device-bench.ts';
import { AcpiPm } from './acpi-pm.ts';

const BASE = 0x600;

function build(bench = new Bench(), timerBits: 24 | 32 = 32): { bench: Bench; pm: AcpiPm } {
  const pm = new AcpiPm({ clock: bench.clock, sci: bench.line('sci'), powerOff: () => bench.log.push('off'), timerBits });
  bench.bus.ports.attach(BASE, 12, pm);
  bench.stateful.push(pm);
  return { bench, pm };
}

test('the timer counts at 3.579545 MHz and wraps', () => {
  for (const [bits, wraps] of [[24, 2 ** 24], [32, 2 ** 32]] as const) {
    const { bench } = build(new Bench(), bits);
    assert.equal(bench.in(BASE + 8, 4), 0);
    bench.clock.advance(1e9);
    assert.equal(bench.in(BASE + 8, 4), 3579545);
    bench.clock.advance(1999e9);
    assert.equal(bench.in(BASE + 8, 4), (3579545 * 2000) % wraps);
    assert.equal(bench.in(BASE + 10, 2), ((3579545 * 2000) % wraps) >>> 16);
  }
});

test('the power button interrupts when it is enabled, until its status is cleared', () => {
  const { bench, pm } = build();
  pm.pressPowerButton();
  assert.deepEqual([bench.logged(), bench.in(BASE, 2)], [[], 0x100]);
  bench.out(BASE + 2, 0x100, 2);
  assert.deepEqual([bench.logged(), bench.in(BASE + 2, 2)], [['sci+'], 0x100]);
  bench.out(BASE, 0x21, 2);
  assert.deepEqual(bench.logged(), []);
  bench.out(BASE + 1, 1);
  assert.deepEqual([bench.logged(), bench.in(BASE, 2)], [['sci-'], 0]);
});

test('it is in ACPI mode; sleep type 5 with SLP_EN is power-off, others are not', () => {
  const { bench } = build();
  assert.equal(bench.in(BASE + 4, 2), 1);
  bench.out(BASE + 4, 5 << 10, 2);
  bench.out(BASE + 4, 0x2000 | (3 << 10), 2);
  assert.deepEqual([bench.logged(), bench.in(BASE + 4, 2)], [[], (3 << 10) | 1]);
  bench.out(BASE + 4, 0x2000 | (5 << 10), 2);
  assert.deepEqual(bench.logged(), ['off']);
  bench.out(BASE + 5, 0x34);
  assert.deepEqual(bench.logged(), ['off'], 'by its upper byte too');
});

test('the timer\'s status comes when its highest bit changes', () => {
  const { bench } = build(new Bench(), 24);
  bench.clock.advance(2.3e9);
  assert.equal(bench.in(BASE, 2), 0);
  bench.clock.advance(0.1e9);
  assert.equal(bench.in(BASE, 2), 1);
  bench.out(BASE, 0xffff, 2);
  bench.out(BASE + 2, 1, 2);
  bench.clock.advance(2.2e9);
  assert.deepEqual(bench.logged(), []);
  bench.clock.advance(0.1e9);
  assert.deepEqual(bench.logged(), ['sci+']);
});

test('a restored block goes on as the saved one', () => {
  assertResumes((bench) => build(bench, 24).pm, (pm) => [
    (bench, random) => bench.in(BASE + random(12), ([1, 2, 4] as const)[random(3)]!),
    (bench, random) => bench.out(BASE + random(12), random(2 ** 32), ([1, 2, 4] as const)[random(3)]!),
    (_bench, random) => random(4) === 0 && pm.pressPowerButton(),
    timePasses(1e10),
  ]);
});
