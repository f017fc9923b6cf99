/**
 * Number 32, references 2.10.32.a-g: ports and registers in memory find their devices. What the document got wrong and is checked right here:
 * it sends every byte of a word to the same port, reads one byte for two or four, answers 0 at the scratch register, and ends the machine at an
 * access to memory.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DelosError } from '../../src/lib/errors.ts';
import { testPc } from '../support/pc.ts';

test('test_io_handling', async (context) => {
  await context.test('3F8h to 3FFh are the serial port', () => {
    const { in: read, out, log } = testPc();
    log.splice(0);
    out(0x3f8, 0x48);
    out(0x3ff, 0x5a);
    assert.deepEqual([log, read(0x3fd), read(0x3ff)], [['com1 72'], 0x60, 0x5a]);
  });

  await context.test('a word is two ports, a string of bytes is one', () => {
    const { in: read, out, log } = testPc();
    log.splice(0);
    out(0x3fe, 0x7700, 2);
    out(0x3f8, 0x0241, 2);
    assert.deepEqual([log, read(0x3f9), read(0x3ff)], [['com1 65'], 0x02, 0x77]);
    for (const byte of [1, 2, 3]) out(0x3f8, byte);
    assert.deepEqual(log.slice(1), ['com1 1', 'com1 2', 'com1 3']);
  });

  await context.test('where nothing is: ones of every size, and who watches learns it', () => {
    const { pc, in: read, out } = testPc();
    const lines: string[] = [];
    pc.bus.ports.trace = (write, port, _size, _value, device) => {
      if (device === undefined) lines.push(`Unhandled I/O ${write ? 'out' : 'in'}: port=0x${port.toString(16)}`);
    };
    assert.deepEqual([read(0x99), read(0x99, 2), read(0x99, 4)], [0xff, 0xffff, 0xffffffff]);
    out(0x99, 1);
    read(0x3fd);
    assert.deepEqual(lines, ['Unhandled I/O in: port=0x99', 'Unhandled I/O in: port=0x99', 'Unhandled I/O in: port=0x99', 'Unhandled I/O out: port=0x99']);
  });

  await context.test('60h and 64h are the keyboard controller; FEh resets', () => {
    const { pc, in: read, out, log } = testPc();
    pc.keyboard.press(0x1e);
    assert.deepEqual([read(0x64) & 1, read(0x60), read(0x64) & 1], [1, 0x1e, 0]);
    out(0x64, 0xfe);
    assert.equal(log.at(-1), 'reset');
  });

  await context.test('memory: devices by their ranges, in every size, and what is not there', () => {
    const { pc: { bus: { memory } } } = testPc();
    memory.write(0xfec00000, 4, 1);
    assert.deepEqual([memory.read(0xfec00010, 4), memory.read(0xfec00010, 1), memory.read(0xfec00012, 2)], [0x170020, 0x20, 0x17]);
    assert.deepEqual([memory.read(0xfee00030, 4), memory.read(0xd0000000, 1), memory.read(0xd0000000, 4)], [0x50014, 0xff, 0xffffffff]);
  });

  await context.test('two devices at one place are refused', () => {
    const { pc: { bus } } = testPc();
    const device = { name: 'another', read: () => 0, write: () => undefined };
    for (const attach of [() => bus.ports.attach(0x3f0, 16, device), () => bus.memory.attach(0xfee00fff, 1, device)]) {
      assert.throws(attach, (error) => error instanceof DelosError && error.code === 'bad-machine');
    }
  });
});
