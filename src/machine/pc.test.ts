import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generator } from '../../fuzz/support/generator.ts';
import { initialisePics, testPc, type TestPc } from '../../test/support/pc.ts';
import { cmosOf } from '../device/cmos.ts';
import type { Pc } from './pc.ts';

function redirect({ bus }: Pc, pin: number, low: number): void {
  bus.memory.write(0xfec00000, 4, 0x10 + 2 * pin);
  bus.memory.write(0xfec00010, 4, low);
}

test('every device is at its place', () => {
  const { pc, log } = testPc();
  const ports = [0x20, 0xa1, 0x40, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x80, 0x92, 0xf4, 0x2f8, 0x3f8, 0x402, 0x4d1, 0x510, 0x608, 0xcf9, 0x3e8];
  const names = ports.map((port) => {
    let name: string | undefined;
    pc.bus.ports.trace = (_write, _address, _size, _value, device) => void (name = device);
    pc.bus.ports.read(port, 1);
    return name;
  });
  assert.deepEqual(names, [
    '8259-master', '8259-slave', '8254', '8254', 'i8042', 'port61', 'i8042', 'mc146818', 'mc146818', 'post', 'port92', 'debug-exit', '16550', '16550', 'debug-console',
    'elcr', 'fw_cfg', 'acpi-pm', 'reset', undefined,
  ]);
  assert.deepEqual([pc.bus.memory.read(0xfec00000, 4), pc.bus.memory.read(0xfee00030, 4)], [0, 0x50014]);
  assert.equal(new Set(pc.stateful.map(({ name }) => name)).size, pc.stateful.length);
  assert.deepEqual(log, ['a20 true']);
});

test('an interrupt of the 8259s comes through the virtual wire to the first processor', () => {
  const machine = testPc();
  const { pc } = machine;
  initialisePics(machine);
  pc.bus.ports.write(0x43, 1, 0x30);
  assert.equal(pc.interrupts.pending(0), false);
  for (const byte of [1, 0]) pc.bus.ports.write(0x40, 1, byte);
  machine.pass(3000);
  assert.equal(pc.interrupts.acknowledge(0), 0x08, 'the timer');
  pc.bus.ports.write(0x20, 1, 0x20);
  pc.serial[1]!.input.send(new Uint8Array([1]));
  pc.bus.ports.write(0x2f9, 1, 1);
  assert.deepEqual([pc.interrupts.pending(1), pc.interrupts.pending(0), pc.interrupts.acknowledge(0)], [false, true, 0x0b]);
  pc.bus.ports.write(0x20, 1, 0x20);
  pc.bus.ports.write(0x70, 1, 0x0b);
  pc.bus.ports.write(0x71, 1, 0x12);
  pc.bus.ports.write(0x21, 1, 0x01);
  machine.pass(1.5e9);
  assert.equal(pc.interrupts.acknowledge(0), 0x70, 'the clock chip, on the slave');
});

test('the same lines come in at the IOAPIC, the timer at pin 2', () => {
  const machine = testPc();
  const { pc } = machine;
  pc.bus.memory.write(0xfee000f0, 4, 0x1ff);
  redirect(pc, 2, 0x30);
  redirect(pc, 4, 0x44);
  redirect(pc, 9, 0x8039);
  pc.bus.ports.write(0x43, 1, 0x34);
  pc.bus.ports.write(0x40, 1, 0xff);
  pc.bus.ports.write(0x40, 1, 0x00);
  machine.pass(300_000);
  assert.equal(pc.interrupts.acknowledge(0), 0x30);
  pc.bus.ports.write(0x3f9, 1, 2);
  assert.equal(pc.interrupts.acknowledge(0), 0x44);
  pc.bus.memory.write(0xfee000b0, 4, 0);
  pc.bus.memory.write(0xfee000b0, 4, 0);
  pc.bus.ports.write(0x602, 2, 0x100);
  pc.pm.pressPowerButton();
  assert.equal(pc.interrupts.acknowledge(0), 0x39);
  pc.bus.memory.write(0xfee000b0, 4, 0);
  assert.equal(pc.interrupts.acknowledge(0), 0x39, 'level triggered: again until it is cleared');
  pc.bus.ports.write(0x600, 2, 0x100);
  pc.bus.memory.write(0xfee000b0, 4, 0);
  assert.equal(pc.interrupts.pending(0), false);
});

test('the ways to reset, to power off, to end a test', () => {
  const { pc, log } = testPc();
  log.splice(0);
  for (const [port, value] of [[0x64, 0xfe], [0xcf9, 6], [0x92, 1], [0xf4, 3], [0x402, 65]] as const) pc.bus.ports.write(port, 1, value);
  pc.bus.ports.write(0x604, 2, 0x2000 | (5 << 10));
  assert.deepEqual(log, ['reset', 'reset', 'reset', 'exit 7', 'debug 65', 'off']);
});

test('address line 20 is open while either of its two gates is', () => {
  const { pc, log } = testPc();
  pc.bus.ports.write(0x92, 1, 2);
  pc.bus.ports.write(0x64, 1, 0xdd);
  assert.deepEqual(log, ['a20 true']);
  pc.bus.ports.write(0x92, 1, 0);
  assert.deepEqual(log, ['a20 true', 'a20 false']);
});

test('an engine with controllers of its own gets the lines, and ours are not there', () => {
  const lines: string[] = [];
  const engine = { lines: { set: (irq: number, up: boolean) => void lines.push(`${irq}${up ? '+' : '-'}`) }, pit: true };
  const { pc } = testPc({ engineControllers: engine });
  pc.bus.ports.write(0x3f9, 1, 2);
  pc.bus.ports.write(0x43, 1, 0x30);
  assert.deepEqual(lines, ['4+']);
  assert.deepEqual([pc.bus.ports.read(0x21, 1), pc.bus.memory.read(0xfee00030, 4), pc.bus.memory.read(0xfec00010, 4)], [0xff, 0xffffffff, 0xffffffff]);
});

test('CMOS memory says how much there is', () => {
  const { pc } = testPc();
  const cmos = (index: number): number => {
    pc.bus.ports.write(0x70, 1, index);
    return pc.bus.ports.read(0x71, 1);
  };
  const word = (index: number): number => cmos(index) | (cmos(index + 1) << 8);
  assert.deepEqual([word(0x15), word(0x30), word(0x34), cmos(0x5f)], [640, 0xffff, 240 * 16, 1]);
  const large = cmosOf({ below4G: 2 ** 31, above4G: 2 ** 32, cpus: 1 });
  assert.deepEqual([large[0x5b], large[0x5c], large[0x5d], large[0x5f]], [0, 0, 1, 0]);
});

test('a restored PC goes on as the saved one, whatever was done to it', () => {
  const ports = [
    0x20, 0x21, 0xa0, 0xa1, 0x40, 0x42, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x92, 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fd, 0x4d0, 0x510, 0x511, 0x600, 0x602, 0x604, 0x608,
  ];
  const step = ({ pc, pass }: TestPc, seed: number): unknown => {
    const random = generator(seed);
    const port = ports[random(ports.length)]!;
    pass(random(2) === 0 ? random(1000) : random(1e6));
    if (random(8) === 0) return void pc.serial[0]!.uart.receive(Uint8Array.of(random(256)));
    if (random(6) === 0) return pc.interrupts.pending(0) ? pc.interrupts.acknowledge(0) : undefined;
    if (random(6) === 0) return pc.bus.memory.write(0xfee00000 + (random(64) << 4), 4, random(0x200));
    if (random(8) === 0) return redirect(pc, random(24), random(0x10000));
    return random(2) === 0 ? pc.bus.ports.read(port, ([1, 2, 4] as const)[random(3)]!) : pc.bus.ports.write(port, 1, random(256));
  };
  for (let seed = 1; seed <= 12; seed++) {
    const random = generator(seed);
    const [one, other] = [testPc(), testPc()];
    for (let count = random(400); count > 0; count--) step(one, random(2 ** 32));
    one.pc.stateful.forEach(({ state }, at) => other.pc.stateful[at]!.state.set(state));
    for (const device of other.pc.stateful) device.restored();
    one.log.splice(0);
    other.log.splice(0);
    for (let count = 0; count < 400; count++) {
      const stepSeed = random(2 ** 32);
      assert.deepEqual([step(other, stepSeed), other.log], [step(one, stepSeed), one.log], `seed ${seed}, step ${count}`);
    }
  }
});
