import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { generator } from '../../fuzz/support/generator.ts';
import { countedTo, countingGuest } from '../../test/support/counting-guest.ts';
import { floatBytes } from '../../test/support/float-module.ts';
import { softwareCpuid } from '../cpu/cpuid.ts';
import { APIC_TIMER_HERTZ } from '../device/apic-timer.ts';
import { createInterpreter } from '../engine/interpreter.ts';
import { createGuestMemory } from '../engine/memory.ts';
import { DelosError } from '../lib/errors.ts';
import { Machine } from '../machine/machine.ts';
import type { MachineState } from '../machine/state.ts';
import { chunksOf, noDigest, type Digest } from './chunks.ts';
import { encodeHead, HEADER_SIZE } from './format.ts';
import { readSnapshot, restore, snapshot } from './snapshot.ts';
import { decodeState, encodeState } from './state-codec.ts';

const engine = createInterpreter(floatBytes);
const cpuid = softwareCpuid({ cpus: 1, apicId: 0, timestampHz: APIC_TIMER_HERTZ, timerHz: APIC_TIMER_HERTZ, hypervisor: true });
const memory = 2 ** 21;

function machineOf(serial: (byte: number) => void = () => undefined): Machine {
  return new Machine({ start: countingGuest, memory, engine, cpuid, serial: [serial] });
}

function bytesOf(machine: Machine): Uint8Array {
  return new Uint8Array(Buffer.concat([...snapshot(machine, sha256)]));
}

/** Runs until what it says has so many lines. */
async function runTo(lines: number, text: () => string, machine: Machine): Promise<void> {
  const abort = new AbortController();
  const end = machine.run(AbortSignal.any([abort.signal, AbortSignal.timeout(20_000)]));
  while (text().split('\n').length <= lines) await new Promise((resolve) => void setTimeout(resolve, 1));
  abort.abort();
  await end;
}

const sha256: Digest = (bytes) => createHash('sha256').update(bytes).digest();

/** Why it is not read, or `nothing`. */
function refused(bytes: Uint8Array): string {
  try {
    const read = readSnapshot(bytes, sha256);
    read.fill(createGuestMemory(read.state.regions));
  } catch (error) {
    if (error instanceof DelosError) return error.message;
    throw error;
  }
  return 'nothing';
}

test('a guest that counts goes on without a gap, and its time from where it stood', async () => {
  let text = '';
  const serial = (byte: number): void => void (text += String.fromCharCode(byte));
  using machine = machineOf(serial);
  await runTo(10, () => text, machine);
  machine.pause();
  const saved = bytesOf(machine);
  const time = machine.pc.clock.now();
  await new Promise((resolve) => void setTimeout(resolve, 20));
  using other = restore(readSnapshot(saved), { engine, serial: [serial] });
  assert.equal(other.pc.clock.now(), time, 'it stands still until it is run');
  assert.equal(other.pc.tsc.read(), time);
  await runTo(20, () => text, other);
  assert.ok(countedTo(text) !== undefined, text);
});

test('a restored machine saved again is the same file, byte for byte', async () => {
  let text = '';
  using machine = machineOf((byte) => void (text += String.fromCharCode(byte)));
  await runTo(3, () => text, machine);
  machine.pause();
  machine.send(Buffer.from('typed, and not read'));
  const saved = bytesOf(machine);
  using other = restore(readSnapshot(saved), { engine });
  assert.deepEqual(bytesOf(other), saved);
  using third = restore(readSnapshot(Buffer.concat([Uint8Array.of(0), saved]).subarray(1)), { engine });
  assert.deepEqual(bytesOf(third), saved, 'from bytes anywhere in a buffer');
  assert.equal(other.pc.serial[0]?.input.length, 'typed, and not read'.length - 1, 'a byte is in the port already');
});

test('a paused machine stands still, and so does its time', async () => {
  let text = '';
  using machine = machineOf((byte) => void (text += String.fromCharCode(byte)));
  const abort = new AbortController();
  const end = machine.run(abort.signal);
  await new Promise((resolve) => void setTimeout(resolve, 50));
  machine.pause();
  const [said, time] = [text, machine.pc.clock.now()];
  await new Promise((resolve) => void setTimeout(resolve, 50));
  assert.deepEqual([text, machine.pc.clock.now()], [said, time]);
  machine.resume();
  while (text.length < said.length + 20) await new Promise((resolve) => void setTimeout(resolve, 1));
  abort.abort();
  assert.deepEqual(await end, { kind: 'stopped' });
  assert.ok(countedTo(text.slice(0, text.lastIndexOf('\n') + 1)) !== undefined, text);
});

test('what is no snapshot, is cut off, is of another version, is refused in a line', () => {
  using machine = machineOf();
  const saved = bytesOf(machine);
  const changed = (at: number, value: number): Uint8Array => {
    const bytes = saved.slice();
    bytes[at] = value;
    return bytes;
  };
  const cases: readonly (readonly [RegExp, Uint8Array])[] = [
    [/no snapshot/, new Uint8Array()], [/no snapshot/, Buffer.from('#!/bin/sh\nexit')], [/no snapshot/, changed(1, 0)], [/not even its header/, saved.slice(0, 20)],
    [/version 2; .* version 1 alone/, changed(8, 2)], [/it is cut off, or something follows/, saved.slice(0, -1)], [/something follows/, Buffer.concat([saved, Uint8Array.of(0)])],
    [/its state has \d+ bytes/, changed(18, 255)], [/altered: its state/, changed(HEADER_SIZE + 9, 77)], [/altered: its state/, changed(40, 77)],
    [/altered: its memory at 0x100000/, changed(saved.length - 5, 1)],
  ];
  for (const [sentence, bytes] of cases) {
    assert.match(refused(bytes), sentence);
    assert.equal(refused(bytes).includes('\n'), false);
  }
  assert.equal(refused(saved), 'nothing');
});

test('no truncation and no flipped bit gets through', () => {
  using machine = machineOf();
  const saved = bytesOf(machine);
  const random = generator(34);
  const head = saved.length - memory;
  for (let round = 0; round < 300; round++) {
    const bytes = round % 3 === 0 ? saved.slice(0, random(saved.length)) : saved.slice();
    const at = random(round % 3 === 1 ? head : saved.length);
    if (round % 3 !== 0) bytes[at] = (bytes[at] as number) ^ (1 << random(8));
    assert.notEqual(refused(bytes), 'nothing', `round ${round}, byte ${at}`);
  }
});

/** Of a kind of which another machine's differ. */
function stateOf(change: (state: MachineState) => Partial<MachineState>): Uint8Array {
  using machine = machineOf();
  const state = machine.save();
  const changed = { ...state, ...change(state) };
  const digests = [...chunksOf(changed.regions)].map(() => noDigest);
  const head = encodeHead({ state: changed, digests }, sha256);
  return new Uint8Array(Buffer.concat([head, new Uint8Array(changed.regions.reduce((sum, { size }) => sum + size, 0))]));
}

test('a state of another machine is refused, with the right checksum too', () => {
  const cases: readonly (readonly [RegExp, (state: MachineState) => Partial<MachineState>])[] = [
    [/has 0 processors/, () => ({ cpus: [] })],
    [/has 8 bytes of a processor, not \d+/, (state) => ({ cpus: state.cpus.map((cpu) => ({ ...cpu, registers: new Uint8Array(8) })) })],
    [/has no device 8254/, ({ devices }) => ({ devices: new Map([...devices].filter(([name]) => name !== '8254')) })],
    [/a device "floppy", which is not known/, ({ devices }) => ({ devices: new Map([...devices, ['floppy', new Uint8Array(1)]]) })],
    [/has 3 bytes of the device com1, not \d+/, ({ devices }) => ({ devices: new Map([...devices, ['com1', new Uint8Array(3)]]) })],
    [/16550 has 255 for head/, ({ devices }) => ({ devices: new Map([...devices, ['com1', new Uint8Array(devices.get('com1')?.length ?? 0).fill(255)]]) })],
    [/whole pages/, () => ({ regions: [{ guestAddress: 0, size: memory - 8, readOnly: false }, { guestAddress: 2 ** 31, size: 8, readOnly: false }] })],
    [/5 serial ports/, () => ({ input: Array.from({ length: 5 }, () => new Uint8Array()) })],
  ];
  for (const [sentence, change] of cases) {
    assert.throws(() => restore(readSnapshot(stateOf(change), sha256), { engine }), (error) => error instanceof DelosError && sentence.test(error.message), String(sentence));
  }
});

test('the codec gives back what it was given, and refuses every part of it', () => {
  const random = generator(9);
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random(256));
  for (let round = 0; round < 50; round++) {
    const state: MachineState = {
      regions: [{ guestAddress: 0, size: 4096 * (1 + random(600)), readOnly: false }, { guestAddress: 2 ** 32 - 65536, size: 65536, readOnly: true }],
      cpus: [{ registers: bytes(random(2000)), otherMsrs: new Map([[random(2 ** 32), BigInt(random(2 ** 32)) << 32n]]) }],
      cpuid: Array.from({ length: random(40) }, () => ({ leaf: random(2 ** 32), subleaf: random(4), registers: [random(2 ** 32), 1, 2, random(2 ** 32)] })),
      devices: new Map([['8254', bytes(random(300))], ['a-device', bytes(random(9000))]]),
      firmware: new Map([[random(65536), bytes(random(20_000))]]),
      input: [bytes(random(10)), bytes(0)],
    };
    const chunks = Math.ceil((state.regions[0]?.size ?? 0) / 2 ** 20) + 1;
    const digests = Array.from({ length: chunks }, () => bytes(32));
    const encoded = encodeState({ state, digests });
    assert.deepEqual(decodeState(encoded), { state, digests });
    assert.throws(() => decodeState(encoded.subarray(0, random(encoded.length))), DelosError);
    assert.throws(() => decodeState(new Uint8Array([...encoded, 0])), DelosError);
  }
});

test('what version 1 is: whoever changes a layout makes another version', () => {
  using machine = machineOf();
  const { cpus, devices } = machine.save();
  const sizes = Object.fromEntries([...devices].map(([name, { length }]) => [name, length]));
  assert.deepEqual([cpus[0]?.registers.length, sizes], [1208, {
    clock: 8, 8259: 28, ioapic: 204, apic0: 200, 8254: 184, port61: 1, mc146818: 160, i8042: 108, port92: 1, reset: 1, 'acpi-pm': 16, fw_cfg: 12, post: 1, com1: 56,
  }]);
});
