import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertResumes, Bench, timePasses } from '../../test/support/device-bench.ts';
import { Rtc } from './rtc.ts';
import { fromSeconds, nextAlarm, toSeconds } from './rtc-time.ts';

/** A Friday. */
const start = Date.UTC(2026, 1, 27, 23, 59, 57, 250);

function build(bench = new Bench()): Bench {
  const rtc = new Rtc({ clock: bench.clock, irq: bench.line('irq8'), wallClock: start, cmos: { 0x34: 0x12, 0x5f: 1 } });
  bench.bus.ports.attach(0x70, 2, rtc);
  bench.stateful.push(rtc);
  return bench;
}

function read(bench: Bench, index: number): number {
  bench.out(0x70, index);
  return bench.in(0x71);
}

function write(bench: Bench, index: number, value: number): void {
  bench.out(0x70, index);
  bench.out(0x71, value);
}

/** Seconds, minutes, hours, weekday, day, month, year, century, in hexadecimal. */
function time(bench: Bench): string {
  return [4, 2, 0, 6, 0x32, 9, 8, 7].map((index) => read(bench, index).toString(16).padStart(2, '0')).join(' ');
}

const ms = 1e6;

test('the time of the wall clock in BCD, and on over the end of a month', () => {
  const bench = build();
  assert.equal(time(bench), '23 59 57 06 20 26 02 27');
  bench.clock.advance(749 * ms);
  assert.equal(time(bench), '23 59 57 06 20 26 02 27');
  bench.clock.advance(ms);
  assert.equal(time(bench), '23 59 58 06 20 26 02 27');
  bench.clock.advance(2000 * ms);
  assert.equal(time(bench), '00 00 00 07 20 26 02 28');
  bench.clock.advance(86400e9);
  assert.equal(time(bench), '00 00 00 01 20 26 03 01');
});

test('binary, and hours of twelve', () => {
  const bench = build();
  write(bench, 0x0b, 0x06);
  assert.equal(time(bench), '17 3b 39 06 14 1a 02 1b');
  write(bench, 0x0b, 0x00);
  assert.equal(time(bench), '91 59 57 06 20 26 02 27', 'eleven in the afternoon');
  bench.clock.advance(3000 * ms);
  assert.equal(time(bench), '12 00 00 07 20 26 02 28', 'twelve is midnight');
});

test('the memory, and what can\'t be written or read', () => {
  const bench = build();
  assert.deepEqual([read(bench, 0x34), read(bench, 0x5f), read(bench, 0x0d), bench.in(0x70)], [0x12, 1, 0x80, 0xff]);
  write(bench, 0x0d, 0);
  write(bench, 0x0c, 0xff);
  write(bench, 0xff, 0x5a);
  assert.deepEqual([read(bench, 0x0d), read(bench, 0x0c), read(bench, 0x7f)], [0x80, 0, 0x5a]);
});

test('the update bit warns for 244 microseconds', () => {
  const bench = build();
  bench.clock.advance(750 * ms - 244_001);
  assert.equal(read(bench, 0x0a), 0x26);
  bench.clock.advance(1);
  assert.equal(read(bench, 0x0a), 0xa6);
  bench.clock.advance(244_000);
  assert.equal(read(bench, 0x0a), 0x26);
});

test('setting the time, with SET and without', () => {
  const bench = build();
  write(bench, 0x0b, 0x82);
  for (const [index, value] of [[0, 0x30], [2, 0x15], [4, 0x08], [7, 0x01], [8, 0x12], [9, 0x99], [0x32, 0x19]] as const) write(bench, index, value);
  bench.clock.advance(5000 * ms);
  assert.equal(time(bench), '08 15 30 06 19 99 12 01', 'it waits');
  write(bench, 0x0b, 0x02);
  assert.equal(time(bench), '08 15 30 04 19 99 12 01');
  bench.clock.advance(750 * ms);
  assert.equal(time(bench), '08 15 31 04 19 99 12 01', 'the fraction of the second was the divider\'s');
  write(bench, 0, 0x59);
  bench.clock.advance(1000 * ms);
  assert.equal(time(bench), '08 16 00 04 19 99 12 01');
});

test('out of the divider\'s reset the first update comes after half a second', () => {
  const bench = build();
  write(bench, 0x0a, 0x76);
  bench.clock.advance(9000 * ms);
  assert.equal(time(bench).slice(0, 8), '23 59 57');
  write(bench, 0x0a, 0x26);
  bench.clock.advance(499 * ms);
  assert.equal(time(bench).slice(0, 8), '23 59 57');
  bench.clock.advance(ms);
  assert.equal(time(bench).slice(0, 8), '23 59 58');
});

test('the periodic interrupt: 1024 a second, one until register C is read', () => {
  const bench = build();
  write(bench, 0x0b, 0x42);
  let count = 0;
  for (let step = 0; step < 10_000; step++) {
    bench.clock.advance(100_000);
    if (!bench.up('irq8')) continue;
    assert.equal(read(bench, 0x0c) & 0xc0, 0xc0);
    count++;
  }
  assert.equal(count, 1024);
  bench.clock.advance(1e9);
  bench.logged();
  bench.clock.advance(1e9);
  assert.deepEqual([bench.logged(), bench.clock.next()], [[], Infinity], 'nothing is waited for while it is pending');
});

test('update and alarm interrupts', () => {
  const bench = build();
  read(bench, 0x0c);
  write(bench, 0x0b, 0x12);
  bench.clock.advance(750 * ms);
  assert.deepEqual([bench.logged(), read(bench, 0x0c), bench.logged()], [['irq8+'], 0xd0, ['irq8-']]);
  write(bench, 0x0b, 0x22);
  write(bench, 0x01, 0x05);
  write(bench, 0x03, 0x00);
  write(bench, 0x05, 0xff);
  read(bench, 0x0c);
  bench.clock.advance(6999 * ms);
  assert.deepEqual(bench.logged(), []);
  bench.clock.advance(ms);
  assert.deepEqual([bench.logged(), time(bench).slice(0, 8), read(bench, 0x0c) & 0xb0], [['irq8+'], '00 00 05', 0xb0]);
  bench.clock.advance(3600e9);
  assert.deepEqual([bench.logged(), time(bench).slice(0, 8)], [['irq8-', 'irq8+'], '01 00 05'], 'every hour');
});

test('without its divider there is no periodic interrupt; SET turns that of updates off', () => {
  const bench = build();
  write(bench, 0x0a, 0x76);
  read(bench, 0x0c);
  bench.clock.advance(1e9);
  assert.equal(read(bench, 0x0c), 0);
  write(bench, 0x0b, 0x92);
  assert.equal(read(bench, 0x0b), 0x82);
});

test('flags come without their interrupts too', () => {
  const bench = build();
  read(bench, 0x0c);
  assert.equal(bench.clock.next(), Infinity);
  bench.clock.advance(1000 * ms);
  assert.deepEqual([read(bench, 0x0c), bench.logged(), read(bench, 0x0c)], [0x50, [], 0]);
});

test('the next alarm is the one that a search second by second finds', () => {
  for (const alarm of [
    { hour: 7, minute: 30, second: 15 }, { hour: undefined, minute: 30, second: 0 }, { hour: undefined, minute: undefined, second: 9 },
    { hour: 7, minute: undefined, second: undefined }, { hour: 0, minute: 0, second: 0 }, { hour: undefined, minute: 59, second: undefined },
    { hour: 23, minute: undefined, second: 59 }, { hour: undefined, minute: undefined, second: undefined },
  ]) {
    for (const from of [0, 86399, 27014, 27015, 28799, 1799, 1800, 86400 * 3 - 61, 43210]) {
      let expected = from + 1;
      const matches = (at: number): boolean => {
        const { hour, minute, second } = fromSeconds(at);
        return (alarm.hour ?? hour) === hour && (alarm.minute ?? minute) === minute && (alarm.second ?? second) === second;
      };
      while (!matches(expected)) expected++;
      assert.equal(nextAlarm(alarm, from), expected);
    }
  }
  assert.equal(nextAlarm({ hour: 24, minute: 0, second: 0 }, 5), Infinity);
  assert.equal(toSeconds({ second: 0, minute: 0, hour: 0, day: 32, month: 1, year: 1970 }), 31 * 86400);
});

test('a restored clock goes on as the saved one', () => {
  assertResumes((bench) => build(bench), () => [
    (bench, random) => read(bench, random(8) === 0 ? random(256) : random(0x0e)),
    (bench, random) => write(bench, random(8) === 0 ? random(256) : random(0x0e), random(3) === 0 ? random(256) : random(0x60)),
    (bench) => read(bench, 0x0c),
    timePasses(2e12),
  ], { seeds: 40 });
});
