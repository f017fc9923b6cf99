import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generator } from '../../fuzz/support/generator.ts';
import { VirtualClock, type Timer } from './clock.ts';
import { ticksAt, timeOfTick } from './frequency.ts';

function clock(): { time: { now: number }; clock: VirtualClock } {
  const time = { now: 1000 };
  return { time, clock: new VirtualClock(() => time.now) };
}

test('it begins at 0 and stands still while it is stopped', () => {
  const { time, clock: it } = clock();
  time.now += 5.75;
  assert.equal(it.now(), 5, 'whole nanoseconds');
  it.stop();
  time.now += 100;
  assert.equal(it.now(), 5);
  it.start();
  time.now += 1;
  assert.equal(it.now(), 6);
});

test('timers expire once, in the order of time, those of one time in the order in which they were set', () => {
  const { time, clock: it } = clock();
  const log: number[] = [];
  for (const at of [30, 10, 20, 10.5, 5]) it.at(at, () => log.push(at));
  it.at(10, () => log.push(-10));
  it.at(7, () => log.push(7)).cancel();
  assert.equal(it.next(), 5);
  time.now += 20;
  it.run();
  assert.deepEqual([log, it.next()], [[5, 10, -10, 10.5, 20], 30]);
  it.run();
  assert.equal(log.length, 5);
});

test('a timer that is set again from within, to a time that has come, waits for the next run', () => {
  const { time, clock: it } = clock();
  let count = 0;
  const timer: Timer = it.timer(() => {
    count++;
    timer.set(0);
  });
  timer.set(0);
  it.run();
  assert.deepEqual([count, it.next()], [1, 1]);
  time.now += 1;
  it.run();
  assert.equal(count, 2);
  timer.set(Infinity);
  assert.deepEqual([timer.time, it.next()], [Infinity, Infinity]);
});

test('a heap of many timers, set, moved and cancelled at random, is a sorted list', () => {
  const random = generator(7);
  const { time, clock: it } = clock();
  const expected = new Map<number, number>();
  const found: number[] = [];
  const timers = Array.from({ length: 50 }, (_, name) => it.timer(() => found.push(name)));
  for (let step = 0; step < 5000; step++) {
    const name = random(50);
    if (random(3) > 0) {
      const at = it.now() + 1 + random(100);
      timers[name]?.set(at);
      expected.set(name, at);
    } else if (random(2) > 0) {
      timers[name]?.cancel();
      expected.delete(name);
    } else {
      time.now += random(20);
      it.run();
      const due = [...expected].filter(([, at]) => at <= it.now());
      for (const [one] of due) expected.delete(one);
      assert.deepEqual(found.splice(0).map((one) => due.find(([other]) => other === one)?.[1]), due.map(([, at]) => at).sort((a, b) => a - b));
    }
    assert.equal(it.next(), Math.min(Infinity, ...expected.values()));
  }
});

test('a restored clock goes on from the time that was saved, without the timers of before', () => {
  const [first, second] = [clock(), clock()];
  first.time.now += 123;
  second.time.now += 7;
  second.clock.at(8, () => assert.fail());
  second.clock.state.set(first.clock.state);
  second.clock.restored();
  assert.deepEqual([second.clock.now(), second.clock.next()], [123, Infinity]);
  second.time.now += 2;
  assert.equal(second.clock.now(), 125);
});

test('ticks and times are each other\'s inverse, far from the beginning too', () => {
  const random = generator(1);
  for (const hertz of [32768, 1193182, 3579545]) {
    for (let step = 0; step < 2000; step++) {
      const ticks = Math.floor(2 ** (random(280) / 10)) * (1 + random(300)) + random(9);
      const time = timeOfTick(ticks, hertz);
      assert.equal(ticksAt(time, hertz), ticks);
      if (ticks > 0) assert.equal(ticksAt(time - 1, hertz), ticks - 1);
      assert.equal(BigInt(ticksAt(time + 12345, hertz)), ((BigInt(time) + 12345n) * BigInt(hertz)) / 1_000_000_000n);
    }
  }
});

test('it says when the first timer has become another that is earlier, but not to what it calls itself', () => {
  const { time, clock: it } = clock();
  let earlier = 0;
  it.onEarlier = () => void earlier++;
  const timer = it.at(50, () => timer.set(60));
  it.at(70, () => undefined);
  assert.equal(earlier, 1);
  it.at(40, () => undefined);
  assert.equal(earlier, 2);
  time.now += 55;
  it.run();
  assert.deepEqual([earlier, it.next()], [2, 60]);
});
