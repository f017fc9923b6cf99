import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertResumes, Bench, timePasses } from '../../test/support/device-bench.ts';
import { LocalApics, type MsrValue } from './apics.ts';
import { APIC_ADDRESS } from './apic-registers.ts';

const [ID, VERSION, TPR, PPR, EOI, LDR, DFR, SVR, ISR, TMR, IRR, ESR, ICR, ICR_HIGH] = [
  0x20, 0x30, 0x80, 0xa0, 0xb0, 0xd0, 0xe0, 0xf0, 0x100, 0x180, 0x200, 0x280, 0x300, 0x310,
] as const;
const [TIMER, LINT0, LINT1, ERROR, INITIAL, CURRENT, DIVIDE] = [0x320, 0x350, 0x360, 0x370, 0x380, 0x390, 0x3e0] as const;

interface Machine {
  bench: Bench;
  apics: LocalApics;
  /** The time-stamp counter's lead before the clock. */
  tsc: { ahead: number };
}

function build(bench = new Bench(), cpus = 3): Machine {
  const tell = (what: string) => (cpu: number, page?: number): void => void bench.log.push(`${what}${cpu}${page === undefined ? '' : ` at ${page}`}`);
  const tsc = { ahead: 0 };
  const apics = new LocalApics({
    cpus, clock: bench.clock, tsc: { hertz: 2e9, read: () => bench.clock.now() * 2 + tsc.ahead },
    signals: { nmi: tell('nmi'), smi: tell('smi'), init: tell('init'), startUp: tell('start'), wake: tell('wake') },
    acknowledgeExternal: () => 0x08,
    ended: (vector) => void bench.log.push(`ended ${vector}`),
  });
  bench.bus.memory.attach(APIC_ADDRESS, 0x1000, apics);
  bench.stateful.push(...apics.apics);
  return { bench, apics, tsc };
}

/** A machine whose APICs are all enabled. */
function enabled(cpus = 3): Machine {
  const machine = build(new Bench(), cpus);
  for (let cpu = 0; cpu < cpus; cpu++) write(machine, SVR, 0x1ff, cpu);
  return machine;
}

function read({ bench, apics }: Machine, offset: number, cpu = 0): number {
  apics.running = cpu;
  return bench.bus.memory.read(APIC_ADDRESS + offset, 4);
}

function write({ bench, apics }: Machine, offset: number, value: number, cpu = 0): void {
  apics.running = cpu;
  bench.bus.memory.write(APIC_ADDRESS + offset, 4, value);
}

function readMsr({ apics }: Machine, msr: number, cpu = 0): [number, number] | '#GP' {
  const value: MsrValue = { low: 0, high: 0 };
  return apics.readMsr(cpu, msr, value) ? [value.low, value.high] : '#GP';
}

/** Vectors that wait for a processor, in the order in which it takes and ends them. */
function taken(machine: Machine, cpu = 0): number[] {
  const vectors: number[] = [];
  while (machine.apics.pending(cpu)) {
    vectors.push(machine.apics.acknowledge(cpu));
    write(machine, EOI, 0, cpu);
  }
  return vectors;
}

/** What is taken now, if anything is. */
function acknowledged({ apics }: Machine, cpu: number): number | undefined {
  return apics.pending(cpu) ? apics.acknowledge(cpu) : undefined;
}

const PHYSICAL = false;
const LOGICAL = true;

test('after reset: IDs, version, masked, off', () => {
  const machine = build();
  assert.deepEqual([0, 1, 2].map((cpu) => read(machine, ID, cpu)), [0, 0x01000000, 0x02000000]);
  const found = [VERSION, TPR, PPR, LDR, DFR, SVR, ESR, TIMER, ERROR, INITIAL, CURRENT].map((offset) => read(machine, offset));
  assert.deepEqual(found, [0x50014, 0, 0, 0, 0xffffffff, 0xff, 0, 0x10000, 0x10000, 0, 0]);
  assert.deepEqual([read(machine, LINT0), read(machine, LINT1), read(machine, LINT0, 1)], [0x700, 0x400, 0x10000], 'virtual wire mode, on the first');
  assert.deepEqual([readMsr(machine, 0x1b), readMsr(machine, 0x1b, 1)], [[0xfee00900, 0], [0xfee00800, 0]]);
  machine.apics.send(0, PHYSICAL, 0, 0x40, false);
  assert.equal(machine.apics.pending(0), false, 'it is off');
});

test('priorities: the highest vector first, and only what is above the processor\'s', () => {
  const machine = enabled();
  const { apics } = machine;
  for (const vector of [0x31, 0x52, 0x45, 0x41]) apics.send(0, PHYSICAL, 0, vector, false);
  assert.deepEqual([read(machine, IRR + 0x10), read(machine, IRR + 0x20)], [0x20000, 0x40022]);
  assert.equal(apics.acknowledge(0), 0x52);
  assert.deepEqual([read(machine, ISR + 0x20), read(machine, PPR), apics.pending(0)], [0x40000, 0x50, false]);
  apics.send(0, PHYSICAL, 0, 0x61, false);
  assert.equal(apics.acknowledge(0), 0x61, 'interrupts the service of 52h');
  write(machine, EOI, 0);
  apics.send(0, PHYSICAL, 0, 0x5f, false);
  assert.equal(apics.pending(0), false, 'of the same class as 52h');
  write(machine, EOI, 0);
  assert.equal(apics.acknowledge(0), 0x5f);
  write(machine, EOI, 0);
  write(machine, TPR, 0x45);
  assert.deepEqual([read(machine, PPR), apics.pending(0)], [0x45, false], 'the class of the task priority');
  write(machine, TPR, 0x3f);
  assert.deepEqual(taken(machine), [0x45, 0x41]);
  write(machine, TPR, 0x20);
  assert.deepEqual([taken(machine), apics.acknowledge(0)], [[0x31], 0xff], 'and nothing is the spurious one');
  apics.apics[0]!.taskPriority = 5;
  assert.deepEqual([read(machine, TPR), apics.apics[0]!.taskPriority], [0x50, 5]);
});

test('level-triggered ends are told, edge-triggered ones not', () => {
  const machine = enabled();
  machine.bench.logged();
  machine.apics.send(0, PHYSICAL, 0, 0x40, true);
  machine.apics.send(0, PHYSICAL, 0, 0x50, false);
  assert.equal(read(machine, TMR + 0x20), 1);
  assert.deepEqual([taken(machine), machine.bench.logged()], [[0x50, 0x40], ['wake0', 'wake0', 'ended 64']]);
});

test('destinations: physical, all, flat, clusters, the lowest priority', () => {
  const machine = enabled();
  const { apics } = machine;
  const who = (destination: number, logical: boolean, mode = 0): number[] => {
    apics.send(destination, logical, mode, 0x40, false);
    return [0, 1, 2].filter((cpu) => taken(machine, cpu).length > 0);
  };
  assert.deepEqual([who(1, PHYSICAL), who(0xff, PHYSICAL), who(7, PHYSICAL)], [[1], [0, 1, 2], []]);
  for (const cpu of [0, 1, 2]) write(machine, LDR, 1 << (24 + cpu), cpu);
  assert.deepEqual([who(5, LOGICAL), who(0xff, LOGICAL), who(8, LOGICAL)], [[0, 2], [0, 1, 2], []]);
  for (const cpu of [0, 1, 2]) write(machine, DFR, 0, cpu);
  for (const [cpu, ldr] of [[0, 0x11], [1, 0x12], [2, 0x21]] as const) write(machine, LDR, ldr << 24, cpu);
  assert.deepEqual([who(0x13, LOGICAL), who(0x21, LOGICAL), who(0xf1, LOGICAL)], [[0, 1], [2], [0, 2]]);
  write(machine, TPR, 0x30, 0);
  assert.deepEqual(who(0x13, LOGICAL, 1), [1], 'one of them, the least busy');
});

test('messages between processors: fixed, shorthands, NMI, INIT, start-up', () => {
  const machine = enabled();
  const { bench } = machine;
  const send = (low: number, destination = 0, cpu = 0): string[] => {
    bench.logged();
    write(machine, ICR_HIGH, destination << 24, cpu);
    write(machine, ICR, low, cpu);
    return bench.logged();
  };
  assert.deepEqual([send(0x40, 1), taken(machine, 1), read(machine, ICR_HIGH), read(machine, ICR)], [['wake1'], [0x40], 0x01000000, 0x40]);
  assert.deepEqual(send(0x40041, 9), ['wake0'], 'self');
  assert.deepEqual(send(0x80042), ['wake1', 'wake2'], 'all; the first has one waiting already');
  assert.deepEqual([0, 1, 2].map((cpu) => taken(machine, cpu)), [[0x42, 0x41], [0x42], [0x42]]);
  assert.deepEqual(send(0xc0043, 0, 1), ['wake0', 'wake2']);
  assert.deepEqual(send(0x00044, 0xff, 2).length, 1, 'all, by their destination');
  assert.deepEqual([send(0x4400, 1), send(0x4200, 2), send(0xc4400)], [['nmi1'], ['smi2'], ['nmi1', 'nmi2']]);
  assert.deepEqual([send(0xc500, 1), send(0x8500, 1), send(0x4608, 1)], [['init1'], [], ['start1 at 8']]);
  assert.equal(read(machine, SVR, 1), 0xff, 'INIT has reset it');
  assert.equal(read(machine, ID, 1), 0x01000000);
});

test('errors: gathered until the ESR is written, and an interrupt', () => {
  const machine = enabled();
  write(machine, ERROR, 0x51);
  write(machine, ICR, 0x0f);
  machine.apics.send(0, PHYSICAL, 0, 3, false);
  assert.equal(read(machine, ESR), 0);
  read(machine, 0x40);
  write(machine, ESR, 0);
  assert.deepEqual([read(machine, ESR), taken(machine)], [0xe0, [0x51]]);
  write(machine, ESR, 0);
  assert.equal(read(machine, ESR), 0);
});

test('off, the local vector table is masked and stays so', () => {
  const machine = enabled();
  write(machine, TIMER, 0x20040);
  write(machine, LINT0, 0xffffffff);
  assert.deepEqual([read(machine, TIMER), read(machine, LINT0)], [0x20040, 0x1a7ff]);
  write(machine, SVR, 0xff);
  assert.deepEqual([read(machine, TIMER), read(machine, LINT1)], [0x30040, 0x10400]);
  write(machine, TIMER, 0x40);
  assert.equal(read(machine, TIMER), 0x10040);
});

test('the 8259s come through LINT0: as ExtINT, as a vector, or not at all', () => {
  const machine = build();
  const { apics, bench } = machine;
  apics.setExternal(true);
  assert.deepEqual([bench.logged(), apics.pending(0), apics.pending(1), apics.acknowledge(0)], [['wake0'], true, false, 0x08]);
  write(machine, SVR, 0x1ff);
  write(machine, LINT0, 0x10700);
  assert.equal(apics.pending(0), false);
  apics.setExternal(false);
  write(machine, LINT0, 0x45);
  apics.setExternal(true);
  assert.deepEqual(taken(machine), [0x45]);
  assert.equal(apics.writeMsr(0, 0x1b, 0xfee00100, 0), true);
  assert.deepEqual([apics.pending(0), read(machine, VERSION)], [true, 0xffffffff], 'switched off, the pin is INTR');
  assert.deepEqual(machine.bench.logged().includes('nmi0'), false);
});

test('a tracer sees every interrupt that is taken', () => {
  const machine = enabled();
  const seen: unknown[] = [];
  machine.apics.trace = (...taken) => void seen.push(taken);
  machine.apics.send(1, PHYSICAL, 0, 0x40, false);
  taken(machine, 1);
  machine.apics.setExternal(true);
  machine.apics.acknowledge(0);
  assert.deepEqual(seen, [[1, 0x40, false], [0, 0x08, true]]);
});

test('LINT1 is NMI on the first', () => {
  const machine = build();
  machine.apics.setNmi(true);
  assert.deepEqual(machine.bench.logged(), ['nmi0']);
});

test('the timer: one shot, its count and its divider', () => {
  const machine = enabled();
  const { bench } = machine;
  write(machine, TIMER, 0x40);
  write(machine, DIVIDE, 0xb);
  write(machine, INITIAL, 1000);
  bench.clock.advance(999);
  assert.deepEqual([read(machine, CURRENT), taken(machine)], [1, []]);
  bench.clock.advance(1);
  assert.deepEqual([read(machine, CURRENT), taken(machine), bench.clock.next()], [0, [0x40], Infinity]);
  write(machine, DIVIDE, 0x3);
  write(machine, INITIAL, 100);
  bench.clock.advance(800);
  assert.equal(read(machine, CURRENT), 50);
  write(machine, DIVIDE, 0x0);
  assert.equal(read(machine, CURRENT), 50);
  bench.clock.advance(99);
  assert.deepEqual(taken(machine), []);
  bench.clock.advance(1);
  assert.deepEqual(taken(machine), [0x40]);
  write(machine, INITIAL, 100);
  write(machine, INITIAL, 0);
  assert.equal(bench.clock.next(), Infinity);
});

test('the divider\'s eight values', () => {
  const machine = enabled();
  const divisors = [0, 1, 2, 3, 8, 9, 10, 11].map((divide) => {
    write(machine, DIVIDE, divide);
    write(machine, INITIAL, 0);
    const now = machine.bench.clock.now();
    write(machine, INITIAL, 1);
    return machine.bench.clock.next() - now;
  });
  assert.deepEqual(divisors, [2, 4, 8, 16, 32, 64, 128, 1]);
});

test('the timer: periodic, masked, and late', () => {
  const machine = enabled();
  const { bench } = machine;
  write(machine, DIVIDE, 0xb);
  write(machine, TIMER, 0x20041);
  write(machine, INITIAL, 1000);
  let count = 0;
  for (let step = 0; step < 100; step++) {
    bench.clock.advance(100);
    count += taken(machine).length;
  }
  assert.equal(count, 10);
  bench.clock.oversleep(5500);
  assert.deepEqual([taken(machine), read(machine, CURRENT), bench.clock.next()], [[0x41], 500, 16000]);
  write(machine, TIMER, 0x30041);
  bench.clock.advance(2000);
  assert.deepEqual(taken(machine), []);
});

test('the timer: TSC deadline', () => {
  const machine = enabled();
  const { bench, apics, tsc } = machine;
  apics.writeMsr(0, 0x6e0, 5000, 0);
  assert.deepEqual(readMsr(machine, 0x6e0), [0, 0], 'not in this mode');
  write(machine, TIMER, 0x40042);
  write(machine, INITIAL, 1000);
  assert.equal(read(machine, CURRENT), 0);
  apics.writeMsr(0, 0x6e0, 5000, 0);
  assert.deepEqual([readMsr(machine, 0x6e0), bench.clock.next()], [[5000, 0], 2500]);
  tsc.ahead = -1000;
  bench.clock.advance(2500);
  assert.deepEqual([taken(machine), bench.clock.next()], [[], 3000], 'the counter was set back');
  bench.clock.advance(500);
  assert.deepEqual([taken(machine), readMsr(machine, 0x6e0)], [[0x42], [0, 0]]);
  apics.writeMsr(0, 0x6e0, 1, 0);
  bench.clock.advance(1);
  assert.deepEqual(taken(machine), [0x42], 'a deadline that has passed');
  apics.writeMsr(0, 0x6e0, 0, 1);
  apics.writeMsr(0, 0x6e0, 0, 0);
  assert.equal(bench.clock.next(), Infinity);
  apics.writeMsr(0, 0x6e0, 0, 1);
  write(machine, TIMER, 0x42);
  assert.equal(bench.clock.next(), Infinity, 'another mode disarms it');
});

test('x2APIC: the way there and back', () => {
  const machine = enabled();
  const { apics } = machine;
  const to = (base: number): boolean => apics.writeMsr(0, 0x1b, base, 0);
  assert.equal(readMsr(machine, 0x802), '#GP');
  assert.deepEqual([to(0xfee00400), to(0xfed00900), to(0xfee00901), apics.writeMsr(0, 0x1b, 0xfee00900, 1)], [false, false, false, false]);
  assert.deepEqual([to(0xfee00d00), readMsr(machine, 0x1b), read(machine, VERSION)], [true, [0xfee00d00, 0], 0xffffffff]);
  assert.deepEqual([to(0xfee00900), to(0xfee00100), to(0xfee00d00), to(0xfee00900), readMsr(machine, 0x1b)], [false, true, false, true, [0xfee00900, 0]]);
  assert.equal(read(machine, SVR), 0xff, 'switched off and on, it is as after reset');
});

test('x2APIC: registers, and what raises #GP', () => {
  const machine = enabled();
  const { apics, bench } = machine;
  for (const cpu of [0, 1, 2]) assert.equal(apics.writeMsr(cpu, 0x1b, 0xfee00c00, 0), true);
  assert.deepEqual([readMsr(machine, 0x802, 2), readMsr(machine, 0x80d, 2)], [[2, 0], [4, 0]]);
  assert.deepEqual([readMsr(machine, 0x803), readMsr(machine, 0x80f)], [[0x50014, 0], [0x1ff, 0]]);
  for (const msr of [0x80e, 0x831, 0x80b, 0x801, 0x840, 0x900, 0x7ff, 0x83f]) assert.equal(readMsr(machine, msr), '#GP', msr.toString(16));
  for (const [msr, low, high] of [
    [0x802, 0, 0], [0x80b, 1, 0], [0x808, 0x100, 0], [0x808, 0, 1], [0x828, 1, 0], [0x80d, 0, 0], [0x80e, 0, 0], [0x839, 0, 0], [0x83e, 4, 0],
    [0x830, 0x1000000, 0],
  ] as const) {
    assert.equal(apics.writeMsr(0, msr, low, high), false, msr.toString(16));
  }
  bench.logged();
  assert.equal(apics.writeMsr(0, 0x830, 0x40, 2), true);
  assert.equal(apics.writeMsr(0, 0x830, 0x841, 0b110), true);
  assert.equal(apics.writeMsr(0, 0x830, 0x42, 0xffffffff), true);
  assert.equal(apics.writeMsr(0, 0x83f, 0x43, 0), true);
  assert.deepEqual(readMsr(machine, 0x830), [0x42, 0xffffffff]);
  const all = [0, 1, 2].map((cpu) => {
    const vectors: number[] = [];
    while (apics.pending(cpu)) {
      vectors.push(apics.acknowledge(cpu));
      assert.equal(apics.writeMsr(cpu, 0x80b, 0, 0), true);
    }
    return vectors;
  });
  assert.deepEqual(all, [[0x43, 0x42], [0x42, 0x41], [0x42, 0x41, 0x40]]);
});

test('restored APICs go on as the saved ones', () => {
  const random32 = (random: (below: number) => number): number => (random(3) === 0 ? random(2 ** 32) : random(0x800));
  assertResumes((bench) => build(bench), (machine) => [
    (_bench, random) => read(machine, random(64) << 4, random(3)),
    (_bench, random) => write(machine, random(64) << 4, random32(random), random(3)),
    (_bench, random) => write(machine, SVR, 0x1ff, random(3)),
    (_bench, random) => write(machine, INITIAL, random(5000), random(3)),
    (_bench, random) => machine.apics.writeMsr(random(3), [0x6e0, 0x800 + random(64)][random(2)]!, random32(random), 0),
    (_bench, random) => random(8) === 0 && machine.apics.writeMsr(random(3), 0x1b, 0xfee00000 + random(16) * 0x100, 0),
    (_bench, random) => readMsr(machine, 0x800 + random(64), random(3)),
    (_bench, random) => machine.apics.send(random(256), random(2) === 0, random(8), random(256), random(2) === 0),
    (_bench, random) => machine.apics.setExternal(random(2) === 0),
    (_bench, random) => acknowledged(machine, random(3)),
    timePasses(1e6),
  ]);
});
