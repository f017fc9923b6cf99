/**
 * A guest that does anything to the devices of a PC: accesses of every size at every port and around every register in memory, MSRs, input,
 * and time that goes by. Nothing is thrown, values are of their size, and a run of accesses ends soon. Usage: node fuzz/devices.ts [--seconds N] [--seed N].
 */
import type { AccessSize } from '../src/device/device.ts';
import { createPc, type Pc } from '../src/machine/pc.ts';
import { campaign } from './support/campaign.ts';
import { generator, pick, type Random } from './support/generator.ts';

const PORTS = [
  0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x40, 0x41, 0x42, 0x43, 0x61, 0x60, 0x64, 0x70, 0x71, 0x80, 0x92, 0xf4, 0x3f8, 0x402, 0x510, 0x514, 0x518, 0x600, 0x604, 0x608, 0xcf8,
];
const MEMORY = [0xfec00000, 0xfec00010, 0xfec00040, 0xfee00000, 0xfee000f0, 0xfee00300, 0xfee00320, 0xfee00380];
const ACCESSES = 2000;
/** Far more than such a run takes, so that only a loop is found. */
const MOST_MS = 5000;

function ram(random: Random): { bytes(address: number, length: number): Uint8Array } {
  const memory = Uint8Array.from({ length: 4096 }, () => random(256));
  return {
    bytes(address, length) {
      if (!Number.isInteger(address) || address < 0 || address + length > memory.length) throw new RangeError('no memory there');
      return memory.subarray(address, address + length);
    },
  };
}

const nothing = (): void => undefined;

function machine(time: { now: number }, random: Random): Pc {
  return createPc({
    memory: ram(random), cpus: 1 + random(4), nanoseconds: () => time.now, wallClock: random(2 ** 32) * 1000, serial: [nothing, nothing],
    signals: { nmi: nothing, smi: nothing, init: nothing, startUp: nothing, wake: nothing },
    events: { powerOff: nothing, reset: nothing, debugExit: nothing },
    firmware: { files: { 'etc/file': new Uint8Array(100) } },
  });
}

function checked(value: number, size: AccessSize, at: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size)) throw new Error(`a read of ${size} at 0x${at.toString(16)} gave ${value}`);
}

function access({ bus, apics }: Pc, random: Random): void {
  const size = pick([1, 2, 4] as const, random);
  const value = pick([0, 1, 0xff, 0xffffffff, random(256), random(0x10000), random(2 ** 32)], random);
  apics.running = random(apics.apics.length);
  const [space, at] = random(3) > 0
    ? [bus.ports, random(4) === 0 ? random(0x10000) : pick(PORTS, random) + random(8)]
    : [bus.memory, random(4) === 0 ? random(2 ** 32) * 2 ** random(21) : pick(MEMORY, random) + random(0x80)];
  if (random(2) === 0) space.write(at, size, value);
  else checked(space.read(at, size), size, at);
}

function anyMsr(random: Random): number {
  return pick([0x1b, 0x6e0, 0x800 + random(256)], random);
}

/** What is not the guest's doing, or is no access. */
function happen(pc: Pc, time: { now: number }, random: Random): void {
  const cpu = random(pc.apics.apics.length);
  switch (random(8)) {
    case 0: return void pc.serial[0]?.input.send(Uint8Array.from({ length: random(20) }, () => random(256)));
    case 1: return pc.keyboard.press(random(256), random(256));
    case 2: return void pc.apics.writeMsr(cpu, anyMsr(random), random(2) === 0 ? 0xfee00c00 : random(2 ** 32), pick([0, random(2 ** 32)], random));
    case 3: return void pc.apics.readMsr(cpu, anyMsr(random), { low: 0, high: 0 });
    case 4: return checked(pc.interrupts.pending(cpu) ? pc.interrupts.acknowledge(cpu) : 0, 1, cpu);
    case 5: return pc.pm.pressPowerButton();
    default:
      time.now += Math.floor(1e11 / 2 ** random(37));
      return pc.clock.run();
  }
}

await campaign('devices', (runs) => `${runs} guests of ${ACCESSES} accesses each`, (seed) => {
  const random = generator(seed);
  const time = { now: random(1000) };
  const pc = machine(time, random);
  const start = performance.now();
  for (let count = 0; count < ACCESSES; count++) {
    if (random(4) > 0) access(pc, random);
    else happen(pc, time, random);
  }
  for (const device of pc.stateful) device.restored();
  if (performance.now() - start > MOST_MS) throw new Error(`${ACCESSES} accesses took ${Math.round(performance.now() - start)} ms`);
});
