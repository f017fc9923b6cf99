/**
 * Snapshots that were damaged, and ones that were made up: the checksum is right, what it is of is not. The first are refused, the second too,
 * or they are machines that run as well as they can: nothing is thrown but a DelosError. Usage: node fuzz/snapshot.ts [--seconds N] [--seed N].
 */
import { createHash } from 'node:crypto';
import { softwareCpuid } from '../src/cpu/cpuid.ts';
import { APIC_TIMER_HERTZ } from '../src/device/apic-timer.ts';
import { createInterpreter } from '../src/engine/interpreter.ts';
import { createGuestMemory } from '../src/engine/memory.ts';
import { DelosError } from '../src/lib/errors.ts';
import { Machine } from '../src/machine/machine.ts';
import type { MachineState } from '../src/machine/state.ts';
import { chunksOf, digestOf, type Digest } from '../src/snapshot/chunks.ts';
import { decodeHeader, encodeHead, seal } from '../src/snapshot/format.ts';
import { readSnapshot, restore, snapshot } from '../src/snapshot/snapshot.ts';
import { countingGuest } from '../test/support/counting-guest.ts';
import { floatBytes } from '../test/support/float-module.ts';
import { campaign } from './support/campaign.ts';
import { generator, pick, type Random } from './support/generator.ts';

const memory = 2 ** 16;
const ROUNDS = 20;
/** Of the guest of a machine that was made up, and of the looks at its devices. */
const INSTRUCTIONS = 2000;
const ACCESSES = 100;
/** For that, with others on the machine. */
const MOST_MS = 5000;
const PORTS = [0x20, 0x21, 0x40, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x92, 0xa0, 0x3f8, 0x3fd, 0x4d0, 0x510, 0x600, 0x608, 0xcf9] as const;

const engine = createInterpreter(floatBytes);
const sha256: Digest = (bytes) => createHash('sha256').update(bytes).digest();
const cpuid = softwareCpuid({ cpus: 1, apicId: 0, timestampHz: 1e9, timerHz: APIC_TIMER_HERTZ, hypervisor: true });

function genuine(): { saved: Uint8Array; state: MachineState; content: Uint8Array } {
  using machine = new Machine({ start: countingGuest, memory, engine, cpuid });
  machine.cpu.run(1000);
  return { saved: new Uint8Array(Buffer.concat([...snapshot(machine, sha256)])), state: machine.save(), content: machine.memory.bytes(0, memory).slice() };
}

const { saved, state, content } = genuine();

function damaged(random: Random): Uint8Array {
  const bytes = Uint8Array.from(saved);
  if (random(3) === 0) return bytes.subarray(0, random(bytes.length));
  for (let count = 1 + random(3); count > 0; count--) {
    const at = random(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 + random(255));
  }
  return bytes;
}

/** Some of the bytes are others. */
function scribbled(bytes: Uint8Array, random: Random): Uint8Array {
  const other = bytes.slice();
  if (other.length === 0) return other;
  for (let count = 1 + random(random(2) === 0 ? 4 : other.length); count > 0; count--) other[random(other.length)] = pick([0, 255, random(256)], random);
  return other;
}

function sealed(changed: MachineState): Uint8Array {
  const digests = [...chunksOf(changed.regions)].map(({ offset, size }) => digestOf(content.slice(offset, offset + size), sha256));
  return Buffer.concat([encodeHead({ state: changed, digests }, sha256), content]);
}

/** The checksum is right. */
function madeUp(random: Random): Uint8Array {
  const [name, bytes] = pick([...state.devices], random);
  switch (random(5)) {
    case 0: return sealed({ ...state, cpus: state.cpus.map((cpu) => ({ ...cpu, registers: scribbled(cpu.registers, random) })) });
    case 1: return sealed({ ...state, cpuid: state.cpuid.map((answer) => ({ ...answer, leaf: random(8) === 0 ? random(2 ** 32) : answer.leaf })), input: [new Uint8Array(random(100))] });
    case 2: {
      const head = scribbled(saved.subarray(0, saved.length - memory), random);
      head.set(saved.subarray(0, 64));
      seal(head, decodeHeader(saved, saved.length).stateSize, sha256);
      return Buffer.concat([head, content]);
    }
    case 3: return sealed({ ...state, devices: new Map([...state.devices].map(([each, held]) => [each, scribbled(held, random)])) });
    default: return sealed({ ...state, devices: new Map([...state.devices, [name, scribbled(bytes, random)]]) });
  }
}

function live(machine: Machine, random: Random): void {
  const { bus, clock } = machine.pc;
  clock.start();
  for (let count = 0; count < ACCESSES; count++) {
    const port = pick(PORTS, random) + random(4);
    const value = bus.ports.read(port, 1);
    if (!(value >= 0 && value <= 255)) throw new Error(`port 0x${port.toString(16)} reads as ${value}`);
    if (random(2) === 0) bus.ports.write(port, 1, random(256));
    clock.run();
  }
  machine.cpu.run(INSTRUCTIONS);
  for (const _ of snapshot(machine, sha256)) clock.run();
}

/** @returns whether it was refused */
function isRefused(bytes: Uint8Array, random: Random): boolean {
  const start = performance.now();
  try {
    const read = readSnapshot(bytes, sha256);
    // Damage is seen here, before a processor is made, which takes its time.
    read.fill(createGuestMemory(read.state.regions));
    using machine = restore(read, { engine });
    live(machine, random);
    if (performance.now() - start > MOST_MS) throw new Error(`it took ${Math.round(performance.now() - start)} ms`);
    return false;
  } catch (error) {
    if (!(error instanceof DelosError)) throw error;
    if (error.message.includes('\n')) throw new Error('more than a line', { cause: error });
    return true;
  }
}

await campaign('snapshot', (runs) => `${runs} times ${ROUNDS} damaged and one made up`, (seed) => {
  const random = generator(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = damaged(random);
    if (Buffer.compare(bytes, saved) !== 0 && !isRefused(bytes, random)) throw new Error('damage was not seen');
  }
  isRefused(madeUp(random), random);
});
