/** KVM's own interrupt controllers and 8254, and a whole machine with them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { kvmWithControllers } from '../../src/engine/kvm.ts';
import { Machine } from '../../src/machine/machine.ts';
import { engines, noKvm, TestGuest } from '../support/guest.ts';

const skip = noKvm;
const MS = 1e6;

/** Both 8259 from vector 0x20 on, all but some lines masked. */
const setPic = (mask: number): string => `b011e620b020e621b004e621b001e621b0${mask.toString(16)}e621`;
/** The 8254's first counter: a pulse every 1000 of its ticks, which is 0.84 ms. */
const setPit = 'b034e643b0e8e640b003e640';
/** A handler: acknowledges, sends '!', returns. */
const handler = '50b020e620b021baf803ee58cf';

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function handle(memory: Uint8Array, vector: number): void {
  memory.set(bytes(handler), 0x500);
  new DataView(memory.buffer, memory.byteOffset).setUint32(vector * 4, 0x500, true);
}

/** A guest of KVM's controllers, which waits for one line. */
function waiting(code: string): TestGuest {
  const guest = new TestGuest(bytes(code), { interrupts: 'kernel', registers: { rsp: 0x8000 } });
  for (const vector of [0x20, 0x21]) handle(guest.memory.bytes(0, 0x1000), vector);
  return guest;
}

function until(reached: () => boolean, guest: TestGuest): void {
  for (let round = 0; round < 500 && !reached(); round++) assert.deepEqual(guest.run(10 * MS), { kind: 'budget' });
  assert.ok(reached(), 'it gets nowhere');
}

test('KVM\'s 8254 interrupts through its 8259, and no port of either is seen here', { skip }, () => {
  // sti; hlt; jmp back
  using guest = waiting(`${setPic(0xfe)}${setPit}fbf4ebfd`);
  const seen: number[] = [];
  guest.bus.ports.trace = (_write, port) => seen.push(port);
  until(() => guest.output.length >= 3, guest);
  assert.deepEqual([...new Set(seen)], [0x3f8]);
});

test('what KVM\'s controllers hold goes to another machine: masks, vectors, a line that is up', { skip }, () => {
  const spin = `${setPic(0xfd)}f4fbebfe`;
  using first = waiting(spin);
  until(() => first.get('activity') === 1, first);
  first.processors.interrupt(1, true);
  const saved = first.processors.saveControllers();
  // It begins behind its first HLT, with interrupts on: without the saved controllers nothing would come.
  for (const [restored, output] of [[false, ''], [true, '!']] as const) {
    using second = waiting('fbebfe');
    if (restored) second.processors.restoreControllers(saved);
    if (restored) until(() => second.output !== '', second);
    else for (let round = 0; round < 3; round++) second.run(5 * MS);
    assert.equal(second.output, output);
  }
});

test('a guest that waits in the kernel is kicked out by another thread', { skip }, async () => {
  using guest = waiting('fbf4');
  const [cpu] = guest.processors.cpus;
  const source = `
    const { workerData, parentPort } = require('node:worker_threads');
    parentPort.postMessage('ready');
    import(workerData.module).then(({ kick }) => setTimeout(() => kick(workerData.kicker), 50));
  `;
  const module = new URL('../../src/engine/kvm/cpu.ts', import.meta.url).href;
  const worker = new Worker(source, { eval: true, workerData: { kicker: cpu?.kicker, module } });
  await new Promise((resolve) => worker.once('message', resolve));
  assert.deepEqual(guest.run(), { kind: 'kicked' });
  assert.equal(guest.get('activity'), 1);
  await worker.terminate();
});

test('what can\'t be: lines of controllers that are ours', { skip }, () => {
  using guest = new TestGuest([0xf4]);
  assert.throws(() => guest.processors.interrupt(1, true), /not KVM's/);
  assert.throws(() => guest.processors.saveControllers(), /not KVM's/);
});

// Timer interrupts until the handler has been entered three times or more (KVM's 8254 makes up for those that came late), then the end by the debug port: mov al, 1; out 0xf4, al.
const counted = `31c08ed88ed0bc0080${setPic(0xfe)}${setPit}fbf4803e000603 72f8 b001e6f4`.replaceAll(' ', '');
/** inc byte [0x600]; out 0x3f8, '.'; acknowledged; iret */
const counts = '50fe060006b02ebaf803eeb020e62058cf';

for (const { engine, skip: missing } of [...engines, { engine: kvmWithControllers, skip: noKvm }]) {
  const name = `${engine.name}${engine.controllers === true ? ' with its controllers' : ''}`;
  test(`a machine's timer interrupts its guest: ${name}`, { skip: missing }, async () => {
    let output = '';
    const start = { kind: 'flat', code: bytes(counted), address: 0x1000 } as const;
    using machine = new Machine({
      start, memory: 2 ** 20, engine, cpuid: () => [0, 0, 0, 0], serial: [(byte) => void (output += String.fromCharCode(byte))],
    });
    const low = machine.memory.bytes(0, 0x1000);
    low.set(bytes(counts), 0x500);
    new DataView(low.buffer, low.byteOffset).setUint32(0x20 * 4, 0x500, true);
    assert.deepEqual(await machine.run(AbortSignal.timeout(20_000)), { kind: 'debug-exit', status: 3 });
    assert.match(output, /^\.{3,}$/);
    if (engine.controllers === true) assert.throws(() => machine.save(), /in the kernel can't be saved/);
  });
}

test('delos vm run --irqchip kernel', { skip }, () => {
  const { status, stderr } = spawnSync('build/node', ['build/delos.cjs', 'vm', 'run', '--irqchip', 'nobody', '--flat', '/dev/null'], { encoding: 'utf8' });
  assert.deepEqual([status, stderr.includes('--irqchip: nobody is none of own, kernel')], [125, true]);
});
