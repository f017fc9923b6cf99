import assert from 'node:assert/strict';
import { test } from 'node:test';
import { echoGuest } from '../../../test/support/echo-guest.ts';
import { floatBytes } from '../../../test/support/float-module.ts';
import { createInterpreter } from '../../engine/interpreter.ts';
import { DelosError } from '../../lib/errors.ts';
import type { CommonOptions } from './options.ts';
import { VirtualMachine } from './virtual-machine.ts';

class SoftwareMachine extends VirtualMachine {
  constructor(options: CommonOptions) {
    super(options, createInterpreter(floatBytes), 'asked for');
  }
}

const echo = Uint8Array.from(echoGuest);
/** jmp to itself. */
const busy = Uint8Array.of(0xeb, 0xfe);
/** Says the text that is behind it, then resets by port CF9h. */
const sayAndReset = (text: string): Uint8Array => Uint8Array.from([
  // mov si, 0x7c17; mov dx, 0x3f8; lodsb; test al, al; jz; out dx, al; jmp to the lodsb
  ...[0xbe, 0x17, 0x7c, 0xba, 0xf8, 0x03, 0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8],
  // mov dx, 0xcf9; mov al, 6; out dx, al; hlt; a byte that nobody reaches
  ...[0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee, 0xf4, 0x90, 0x90],
  ...new TextEncoder().encode(text), 0,
]);

test('a guest is spoken with, and its end is told; again, too', async () => {
  const bytes: number[] = [];
  using machine = new SoftwareMachine({ code: echo, memory: 1 << 20, serial: (some) => bytes.push(...some) });
  const running = machine.run();
  assert.equal(await machine.serial.waitFor('?'), '?');
  await assert.rejects(machine.run(), (error: unknown) => error instanceof DelosError && error.code === 'wrong-state' && /runs already/.test(error.message));
  machine.send('x');
  assert.deepEqual(await running, { kind: 'debug-exit', status: 7 });
  assert.deepEqual(await machine.run(), { kind: 'debug-exit', status: 7 });
  assert.deepEqual([machine.serial.text, Buffer.from(bytes).toString(), machine.engine, machine.why], ['?x', '?x', 'interpreter', 'asked for']);
  assert.deepEqual([...machine.bytes(0x7c00, 2)], [0xba, 0xf8]);
});

test('a signal ends it, and so does close: for who waits for its end, and for who listens', async () => {
  using first = new SoftwareMachine({ code: busy, memory: '1m' });
  assert.deepEqual(await first.run({ signal: AbortSignal.timeout(20) }), { kind: 'stopped' });
  const second = new SoftwareMachine({ code: busy, memory: '1m' });
  const running = second.run();
  const listening = second.serial.waitFor('anything');
  second.close();
  second.close();
  assert.deepEqual([await running, await listening], [{ kind: 'stopped' }, undefined]);
  await assert.rejects(second.run(), /is closed/);
  for (const call of [() => second.pause(), () => second.resume(), () => [...second.snapshot()]]) assert.throws(call, /is closed/);
  second.send('to nobody');
  assert.deepEqual(await new SoftwareMachine({ code: busy, memory: '1m' }).run({ signal: AbortSignal.abort() }), { kind: 'stopped' });
});

/** For each byte that it is sent it says the next digit, of which the first is 1. */
const counter = Uint8Array.from([
  // mov bl, '0'; mov dx, 0x3fd; in al, dx; test al, 1; jz to the in
  ...[0xb3, 0x30, 0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xfb],
  // mov dx, 0x3f8; in al, dx; inc bx; mov al, bl; out dx, al; jmp to the first mov dx
  ...[0xba, 0xf8, 0x03, 0xec, 0x43, 0x88, 0xd8, 0xee, 0xeb, 0xee],
]);

test('a snapshot goes on where the machine was, which goes on itself; one that was altered is refused', async () => {
  using first = new SoftwareMachine({ code: counter, memory: '2m' });
  const running = first.run();
  first.send('..');
  await first.serial.waitFor('2');
  const bytes = new Uint8Array(await new Blob([...first.snapshot()] as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  first.send('.');
  assert.equal(await first.serial.waitFor('3'), '3');
  first.stop();
  assert.deepEqual(await running, { kind: 'stopped' });

  using second = new SoftwareMachine({ snapshot: bytes });
  void second.run();
  second.send('..');
  assert.equal(await second.serial.waitFor('4'), '34');

  bytes[bytes.length - 2 ** 20 - 2 ** 19] = 1;
  assert.throws(() => new SoftwareMachine({ snapshot: bytes }), (error: unknown) => error instanceof DelosError && error.code === 'bad-snapshot');
});

test('what is paused says nothing until it goes on, also while a snapshot is taken of it, and can be stopped', async () => {
  using machine = new SoftwareMachine({ code: counter, memory: '1m' });
  const running = machine.run();
  machine.pause();
  machine.send('.');
  assert.ok([...machine.snapshot()].length > 1);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(machine.serial.text, '');
  machine.resume();
  assert.equal(await machine.serial.waitFor('1'), '1');
  machine.pause();
  machine.stop();
  assert.deepEqual(await running, { kind: 'stopped' });
});

test('a reset is a reset, and behind the words of a panic it is a panic', async () => {
  using quiet = new SoftwareMachine({ code: sayAndReset('good night\n'), memory: '1m' });
  assert.deepEqual(await quiet.run(), { kind: 'reset' });
  assert.equal(quiet.serial.text, 'good night\n');
  using loud = new SoftwareMachine({ code: sayAndReset('Kernel panic - not syncing: no init\n'), memory: '1m' });
  assert.deepEqual(await loud.run(), { kind: 'panic', message: 'no init' });
});

test('what can not be is refused when it is made', () => {
  const refused = (options: CommonOptions, sentence: RegExp): void => assert.throws(() => new SoftwareMachine(options), (error: unknown) => error instanceof DelosError && sentence.test(error.message));
  refused({ kernel: new Uint8Array(5000) }, /neither a bzImage/);
  refused({ code: echo, memory: 'much' }, /invalid size 'much'/);
  refused({ code: echo, memory: 5 }, /whole pages/);
  refused({ firmware: new Uint8Array(5) }, /multiple of 64 KiB/);
  refused({} as CommonOptions, /one of kernel, firmware, code and snapshot/);
  // @ts-expect-error: a machine starts with one thing
  refused({ snapshot: echo, code: echo }, /one of kernel/);
  // @ts-expect-error: a snapshot has its memory
  refused({ snapshot: new Uint8Array(5), memory: '1m' }, /snapshot/);
  // @ts-expect-error: a machine starts with one thing
  refused({ code: echo, kernel: echo }, /one of kernel, firmware, code and snapshot/);
});

test('CPUID tells of a hypervisor, unless it is not to', async () => {
  // mov eax, 1; cpuid; shr ecx, 31; mov al, cl; add al, '0'; mov dx, 0x3f8; out dx, al; mov al, 3; out 0xf4, al; hlt
  const code = Uint8Array.from([0x66, 0xb8, 1, 0, 0, 0, 0x0f, 0xa2, 0x66, 0xc1, 0xe9, 31, 0x88, 0xc8, 0x04, 0x30, 0xba, 0xf8, 0x03, 0xee, 0xb0, 3, 0xe6, 0xf4, 0xf4]);
  for (const hypervisor of [true, false]) {
    using machine = new SoftwareMachine({ code, memory: '1m', hypervisor });
    await machine.run();
    assert.equal(machine.serial.text, hypervisor ? '1' : '0');
  }
});
