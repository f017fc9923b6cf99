/** A bench for devices: a clock that a test moves, a log of what lines did, and the proof that a saved device goes on without a gap. */

import assert from 'node:assert/strict';
import { generator, type Random } from '../../fuzz/support/generator.ts';
import { createBus, type Bus } from '../../src/device/bus.ts';
import { VirtualClock } from '../../src/device/clock.ts';
import type { AccessSize, Line, Stateful } from '../../src/device/device.ts';

/** A clock whose time is moved by hand, in nanoseconds; what has expired on the way is called at its time. */
export class ManualClock extends VirtualClock {
  readonly #time: { now: number };

  constructor() {
    const time = { now: 0 };
    super(() => time.now);
    this.#time = time;
  }

  advance(by: number): void {
    const end = this.#time.now + by;
    const offset = this.#time.now - this.now();
    for (let next = this.next() + offset; next <= end; next = this.next() + offset) {
      this.#time.now = Math.max(next, this.#time.now);
      this.run();
    }
    this.#time.now = end;
  }

  /** Time goes by and nobody looks; then what has expired is called, late. */
  oversleep(by: number): void {
    this.#time.now += by;
    this.run();
  }
}

export class Bench {
  readonly bus: Bus = createBus();
  readonly clock = new ManualClock();
  /** What lines and other outputs have done, in order. */
  readonly log: string[] = [];
  /** What has state, in the order in which it is restored. */
  readonly stateful: Stateful[] = [this.clock];

  readonly #levels = new Map<string, boolean>();

  /** A line whose changes are in the log as `name+` and `name-`. */
  line(name: string): Line {
    return (up) => {
      if ((this.#levels.get(name) ?? false) === up) return;
      this.#levels.set(name, up);
      this.log.push(`${name}${up ? '+' : '-'}`);
    };
  }

  /** Whether a line of that name is up. */
  up(name: string): boolean {
    return this.#levels.get(name) ?? false;
  }

  /** What was logged since this was called last. */
  logged(): string[] {
    return this.log.splice(0);
  }

  in(port: number, size: AccessSize = 1): number {
    return this.bus.ports.read(port, size);
  }

  out(port: number, value: number, size: AccessSize = 1): void {
    this.bus.ports.write(port, size, value);
  }
}

/** What may happen to a device in a test at random. */
export type Happening = (bench: Bench, random: Random) => unknown;

/** Any access to one of these ports. */
export function anyAccess(...ports: readonly number[]): Happening {
  return (bench, random) => {
    const port = ports[random(ports.length)] as number;
    if (random(2) === 0) return bench.in(port);
    return bench.out(port, random(256));
  };
}

/** Time goes by, up to so many nanoseconds; short whiles are as likely as long ones. */
export function timePasses(most: number): Happening {
  return (bench, random) => bench.clock.advance(Math.floor(most / 2 ** random(24)) + random(1000));
}

/**
 * Makes a device, lets things happen to it, saves it, restores it into a new one, and lets the same happen to both: they have to answer the
 * same, and their lines to do the same at the same times.
 * @param build puts the device on a bench
 */
export function assertResumes<Extra extends object>(
  build: (bench: Bench) => Extra, happenings: (extra: Extra) => readonly Happening[], { seeds = 60, steps = 300 }: { seeds?: number; steps?: number } = {},
): void {
  for (let seed = 1; seed <= seeds; seed++) {
    const random = generator(seed);
    const [first, second] = [new Bench(), new Bench()];
    const [one, other] = [happenings(build(first)), happenings(build(second))];
    let happening = 0;
    const happen = (bench: Bench, list: readonly Happening[], stepSeed: number): unknown => {
      const step = generator(stepSeed);
      happening = step(list.length);
      return (list[happening] as Happening)(bench, step);
    };
    for (let step = random(steps); step > 0; step--) happen(first, one, random(2 ** 32));
    first.stateful.forEach(({ state }, index) => second.stateful[index]?.state.set(state));
    for (const device of second.stateful) device.restored();
    first.logged();
    second.logged();
    for (let step = 0; step < steps; step++) {
      const stepSeed = random(2 ** 32);
      const [expected, found] = [happen(first, one, stepSeed), happen(second, other, stepSeed)];
      assert.deepEqual([found, second.logged()], [expected, first.logged()], `seed ${seed}, step ${step} after the restore, happening ${happening}`);
    }
  }
}
