import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { KVM_EXIT_HLT, KVM_EXIT_IO, KVM_EXIT_MMIO } from '../../src/abi/kvm.ts';
import { protectedModeAt, realModeAt } from '../../src/boot/start-state.ts';
import type { Device } from '../../src/device/device.ts';
import type { InterruptSource, LocalDevices } from '../../src/engine/engine.ts';
import { mapRegion, unmapRegion } from '../../src/engine/memory-host.ts';
import type { MemoryRegion } from '../../src/engine/memory.ts';
import { DelosError } from '../../src/lib/errors.ts';
import { memfd } from '../../src/sys/memfd.ts';
import { noKvm, TestGuest } from '../support/guest.ts';

const skip = noKvm;
const MS = 1e6;

/** A device that keeps what is written and answers with a count. */
function recorder(): Device & { log: string[] } {
  const log: string[] = [];
  let reads = 0;
  return {
    name: 'recorder', width: 4, log,
    read: (offset, size) => (log.push(`r${size} ${offset}`), reads++, 0x11111111 * reads),
    write: (offset, size, value) => void log.push(`w${size} ${offset} ${value.toString(16)}`),
  };
}

/** Lets a guest that never stops by itself run, a little at a time: beside other programs it may get none of it. */
function until(reached: () => boolean, guest: TestGuest): void {
  for (let round = 0; round < 500 && !reached(); round++) assert.deepEqual(guest.run(10 * MS), { kind: 'budget' });
  assert.ok(reached(), 'it gets nowhere');
}

test('port accesses of every size, and string instructions', { skip }, () => {
  // mov dx, 0x500; in al, dx; in ax, dx; in eax, dx; out dx, ax; out dx, eax; mov cx, 3; mov si, 0x2000; rep outsb; mov cx, 2; mov di, 0x3000; rep insw; hlt
  const code = Buffer.from('ba0005ec ed66ed ef66ef b90300be0020f36e b90200bf0030f36d f4'.replaceAll(' ', ''), 'hex');
  using guest = new TestGuest(code);
  const device = recorder();
  guest.bus.ports.attach(0x500, 4, device);
  guest.memory.bytes(0x2000, 3).set([1, 2, 3]);
  assert.deepEqual(guest.run(), { kind: 'halt' });
  assert.deepEqual(device.log, ['r1 0', 'r2 0', 'r4 0', 'w2 0 3333', 'w4 0 33333333', 'w1 0 1', 'w1 0 2', 'w1 0 3', 'r2 0', 'r2 0']);
  assert.deepEqual([...guest.memory.bytes(0x3000, 4)], [0x44, 0x44, 0x55, 0x55]);
  assert.deepEqual([guest.get('rcx'), guest.get('rsi'), guest.get('rdi')], [0, 0x2003, 0x3004]);
});

test('what no device answers reads as ones', { skip }, () => {
  using guest = new TestGuest([0xe4, 0x99, 0xf4]);
  guest.run();
  assert.equal(Number(guest.get('rax')) & 0xff, 0xff);
  assert.deepEqual(guest.exits, [KVM_EXIT_IO, KVM_EXIT_HLT]);
});

test('accesses to memory that is none go to the bus', { skip }, () => {
  // mov ax, 0xb800; mov ds, ax; mov al, [4]; mov [2], ax; mov dword [8], 0x12345678; hlt
  const code = Buffer.from('b800b88ed8a00400a3020066c706080078563412f4', 'hex');
  using guest = new TestGuest(code, { regions: [{ guestAddress: 0, size: 0x20000 }] });
  const device = recorder();
  guest.bus.memory.attach(0xb8000, 0x1000, device);
  guest.run();
  assert.deepEqual(device.log, ['r1 4', 'w2 2 b811', 'w4 8 12345678']);
  assert.equal(guest.exits.filter((reason) => reason === KVM_EXIT_MMIO).length, 3);
});

test('a read-only region keeps what it has', { skip }, () => {
  // mov ax, 0xf000; mov ds, ax; mov byte [0], 7; mov al, [0]; hlt
  using guest = new TestGuest(Buffer.from('b800f08ed8c606000007a00000f4', 'hex'), {
    regions: [{ guestAddress: 0, size: 0x20000 }, { guestAddress: 0xf0000, size: 0x10000, readOnly: true }],
  });
  guest.memory.bytes(0xf0000, 1)[0] = 0x55;
  assert.deepEqual(guest.run(), { kind: 'halt' });
  assert.equal(Number(guest.get('rax')) & 0xff, 0x55);
  assert.equal(guest.memory.bytes(0xf0000, 1)[0], 0x55);
});

test('a triple fault is a shutdown; an instruction that KVM does not know is told with its bytes', { skip }, () => {
  using guest = new TestGuest([0x0f, 0x0b]);
  guest.load(protectedModeAt(0x1000, { gdtrLimit: 0 }));
  assert.deepEqual(guest.run(2000 * MS), { kind: 'shutdown' });
  using other = new TestGuest([0xf4]);
  other.set({ rip: 0x9000 });
  other.memory.bytes(0x9000, 4).set([0x0f, 0x38, 0xff, 0xff]);
  // #UD: hlt at 0x600.
  other.memory.bytes(6 * 4, 4).set([0x00, 0x06, 0, 0]);
  other.memory.bytes(0x600, 1)[0] = 0xf4;
  const exit = other.run(2000 * MS);
  if (exit.kind === 'error') assert.match(exit.message, /0f 38 ff ff.* at rip 0x9000$/);
  else assert.deepEqual([exit.kind, other.get('rip')], ['halt', 0x601], 'the processor itself knows that it is none');
});

test('a state that the processor can\'t have is refused in one line', { skip }, () => {
  using guest = new TestGuest([0xf4]);
  guest.set({ cr0: 0x80000000n });
  assert.throws(() => guest.run(), (error) => error instanceof DelosError && /^setting sregs: EINVAL$/.test(error.message));
});

test('single steps', { skip }, () => {
  using guest = new TestGuest([0x40, 0x40, 0x90, 0xf4]);
  const seen = Array.from({ length: 3 }, () => (assert.deepEqual(guest.run(1), { kind: 'budget' }), [guest.get('rip'), guest.get('rax')]));
  assert.deepEqual(seen, [[0x1001, 1], [0x1002, 2], [0x1003, 2]]);
  assert.deepEqual(guest.run(), { kind: 'halt' });
});

test('a budget ends a loop, and the loop goes on where it was', { skip }, () => {
  using guest = new TestGuest([0x66, 0x40, 0xeb, 0xfc]);
  const counted = (least: number): number => {
    until(() => Number(guest.get('rax')) > least, guest);
    return Number(guest.get('rax'));
  };
  assert.ok(counted(counted(0)) > 1);
});

test('a kick ends the next run at once, and that one only', { skip }, () => {
  using guest = new TestGuest([0x40, 0xf4]);
  guest.cpu.kick();
  guest.cpu.kick();
  assert.deepEqual(guest.run(), { kind: 'kicked' });
  assert.equal(guest.get('rax'), 0);
  assert.deepEqual(guest.run(), { kind: 'halt' });
  assert.equal(guest.get('rax'), 1);
});

test('another thread kicks it out of a loop', { skip }, async () => {
  using guest = new TestGuest([0xeb, 0xfe]);
  const [cpu] = guest.processors.cpus;
  const source = `
    const { workerData, parentPort } = require('node:worker_threads');
    parentPort.postMessage('ready');
    import(workerData.module).then(({ kick }) => setTimeout(() => kick(workerData.kicker), 50));
  `;
  const worker = new Worker(source, { eval: true, workerData: { kicker: cpu?.kicker, module: new URL('../../src/engine/kvm/cpu.ts', import.meta.url).href } });
  await new Promise((resolve) => worker.once('message', resolve));
  assert.deepEqual(guest.run(), { kind: 'kicked' });
  await worker.terminate();
});

/** Interrupt service in real mode: vector 0x21 sends '!' and returns. */
const service = Buffer.from('50b021baf803ee58cf', 'hex');

function withService(guest: TestGuest, vector: number): void {
  guest.memory.bytes(0x500, service.length).set(service);
  new DataView(guest.memory.memory.buffer, guest.memory.regions[0]?.offset).setUint32(vector * 4, 0x500, true);
}

test('our own interrupt controller: wanted while interrupts are off, taken when they are on', { skip }, () => {
  let waiting = 0;
  const interrupts: InterruptSource = { pending: () => waiting > 0, acknowledge: () => (waiting--, 0x21) };
  // mov dx, 0x3f8; mov al, 'a'; out dx, al; sti; nop; hlt; jmp back to hlt
  using guest = new TestGuest([0xba, 0xf8, 0x03, 0xb0, 0x61, 0xee, 0xfb, 0x90, 0xf4, 0xeb, 0xfd], { interrupts, registers: { rsp: 0x8000 } });
  withService(guest, 0x21);
  waiting = 2;
  assert.deepEqual(guest.run(), { kind: 'halt' });
  assert.equal(guest.output, 'a!!');
  const exits = guest.exits.length;
  assert.deepEqual(guest.run(), { kind: 'halt' });
  assert.equal(guest.exits.length, exits, 'nothing wakes it');
  waiting = 1;
  assert.deepEqual(guest.run(), { kind: 'halt' });
  assert.equal(guest.output, 'a!!!');
});

test('KVM\'s own interrupt controllers: a line wakes it from HLT', { skip }, () => {
  // Both 8259 from vector 0x20 on, all but line 1 masked; sti; hlt; cli; out 0x80, al; jmp $
  const code = Buffer.from('b011e620b020e621b004e621b001e621b0fde621fbf4fae680ebfe', 'hex');
  using guest = new TestGuest(code, { interrupts: 'kernel', registers: { rsp: 0x8000 } });
  withService(guest, 0x21);
  let woken = false;
  guest.bus.ports.attach(0x80, 1, { name: 'woken', read: () => 0, write: () => void (woken = true) });
  until(() => guest.get('activity') === 1, guest);
  assert.equal(guest.output, '');
  guest.processors.interrupt(1, true);
  guest.processors.interrupt(1, false);
  until(() => woken, guest);
  assert.equal(guest.output, '!');
});

test('a local APIC of ours: its MSRs', { skip }, () => {
  const log: string[] = [];
  const local: LocalDevices = {
    timestamp: () => 0n,
    readMsr: (_cpu, number) => (number === 0x802 ? 0x1234n : undefined),
    writeMsr: (_cpu, number, value) => (log.push(`${number.toString(16)}=${value.toString(16)}`), number !== 0x8ff),
    taskPriority: () => 0,
    setTaskPriority: (_cpu, priority) => void log.push(`priority ${priority}`),
  };
  // mov ecx, 0x802; rdmsr; mov ebx, eax; mov ecx, 0x830; mov eax, 5; xor edx, edx; wrmsr; mov ecx, 0x8ff; wrmsr (which is refused)
  const code = Buffer.from('66b9020800000f326689c366b93008000066b8050000006631d20f3066b9ff0800000f30f4', 'hex');
  using guest = new TestGuest(code, { local, registers: { rsp: 0x8000 } });
  // #GP: hlt
  guest.memory.bytes(0x600, 1)[0] = 0xf4;
  new DataView(guest.memory.bytes(0, 0x1000).buffer, guest.memory.regions[0]?.offset).setUint32(13 * 4, 0x600, true);
  assert.deepEqual(guest.run(2000 * MS), { kind: 'halt' });
  assert.deepEqual(log, ['830=5', '8ff=5']);
  assert.deepEqual([guest.get('rbx'), guest.get('rip')], [0x1234, 0x601]);
});

test('dirty pages, once each', { skip }, () => {
  // mov ax, 0x2000; mov ds, ax; mov [0], al; mov [0x5000], al; hlt
  using guest = new TestGuest(Buffer.from('b800208ed8a20000a20050f4', 'hex'));
  guest.processors.logDirtyPages(true);
  guest.run();
  // With the processor's help KVM counts a page that was only read as well: the one of the code.
  assert.deepEqual([...guest.processors.dirtyPages(0)].filter((page) => page !== 1), [0x20, 0x25]);
  assert.deepEqual([...guest.processors.dirtyPages(0)], []);
  guest.processors.logDirtyPages(false);
  assert.deepEqual([...guest.processors.dirtyPages(0)], []);
});

test('a file in the place of memory: private is copied when it is written, shared is the file', { skip }, () => {
  // mov al, [0x2000]; inc al; mov [0x2000], al; hlt
  const image = new Uint8Array(0x10000);
  image.set(Buffer.from('a00020fec0a20020f4', 'hex'), 0x1000);
  image[0x2000] = 41;
  const fd = memfd('snapshot', image);
  try {
    for (const [own, after] of [[true, 41], [false, 42]] as const) {
      using guest = new TestGuest([0xf4], { regions: [{ guestAddress: 0, size: 0x10000 }] });
      const region = guest.memory.regions[0] as MemoryRegion;
      mapRegion(guest.memory, region, { fd, offset: 0, private: own });
      assert.deepEqual(guest.run(), { kind: 'halt' });
      assert.equal(guest.memory.bytes(0x2000, 1)[0], 42);
      assert.equal(fs.readSync(fd, image, 0, 0x10000, 0) === 0x10000 && image[0x2000], after);
      unmapRegion(guest.memory, region);
      assert.equal(guest.memory.bytes(0x2000, 1)[0], 0);
    }
  } finally {
    fs.closeSync(fd);
  }
});

test('everything is closed, also when it can\'t be made', { skip }, () => {
  const open = (): number => fs.readdirSync('/proc/self/fd').length;
  const before = open();
  const guest = new TestGuest([0xf4]);
  const links = spawnSync('ls', ['-l', `/proc/${process.pid}/fd`], { encoding: 'utf8' }).stdout;
  assert.match(links, /anon_inode:kvm-vm\n[^]*anon_inode:kvm-vcpu:0/);
  guest[Symbol.dispose]();
  assert.equal(open(), before);
  assert.throws(() => new TestGuest([0xf4], { regions: [{ guestAddress: 0, size: 0x1000 }, { guestAddress: 2 ** 60, size: 0x1000 }] }));
  assert.equal(open(), before);
});

test('a guest begins where it is told after it has run', { skip }, () => {
  using guest = new TestGuest([0xf4]);
  guest.run();
  guest.memory.bytes(0x3000, 2).set([0x40, 0xf4]);
  guest.load(realModeAt(0x3000));
  assert.deepEqual(guest.run(), { kind: 'halt' });
  assert.equal(guest.get('rax'), 1);
});
