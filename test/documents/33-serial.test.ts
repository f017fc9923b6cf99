/**
 * Number 33, references 2.10.33.a-g: the 16550's registers. What the document got wrong and is checked right here: DLAB is not looked at, so that
 * a driver's divisor is printed; IIR and LSR never change; nothing can be received; MSR says that nobody is there; there is no FIFO, no scratch
 * register, no interrupt.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialisePics, testPc } from '../support/pc.ts';

const COM1 = 0x3f8;
const [THR, IER, IIR, LCR, MCR, LSR, MSR, SCR] = [COM1, COM1 + 1, COM1 + 2, COM1 + 3, COM1 + 4, COM1 + 5, COM1 + 6, COM1 + 7] as const;

test('test_serial', async (context) => {
  await context.test('after reset LSR is 60h, IIR 01h, the rest 0, and a modem is there', () => {
    const { in: read } = testPc();
    assert.deepEqual([LSR, IIR, IER, LCR, MCR, SCR, THR, MSR].map((port) => read(port)), [0x60, 0x01, 0, 0, 0, 0, 0, 0xb0]);
  });

  await context.test('what is written to THR comes out', () => {
    const { out, log } = testPc();
    log.splice(0);
    for (const byte of Buffer.from('Hi')) out(THR, byte);
    assert.deepEqual(log, ['com1 72', 'com1 105']);
  });

  await context.test('IER, LCR, MCR and the scratch register are read as they were written', () => {
    const { in: read, out } = testPc();
    for (const [port, value] of [[IER, 0x0f], [LCR, 0x1b], [MCR, 0x0b], [SCR, 0xa5]] as const) {
      out(port, value);
      assert.equal(read(port), value);
    }
  });

  await context.test('with DLAB the first two are the divisor, and nothing is printed', () => {
    const { in: read, out, log } = testPc();
    log.splice(0);
    out(IER, 0x05);
    out(LCR, 0x80);
    out(THR, 0x01);
    out(IER, 0x02);
    assert.deepEqual([read(THR), read(IER), log], [1, 2, []]);
    out(LCR, 0x03);
    assert.equal(read(IER), 0x05);
  });

  await context.test('a character that comes in, with its interrupt at IRQ 4', () => {
    const machine = testPc();
    const { pc, in: read, out } = machine;
    initialisePics(machine);
    out(0x21, 0xef);
    out(IIR, 0x07);
    out(IER, 0x01);
    pc.serial[0]!.input.send(Buffer.from('ok'));
    assert.deepEqual([read(LSR), read(IIR), pc.interrupts.pending(0), pc.interrupts.acknowledge(0)], [0x61, 0xc4, true, 0x0c]);
    assert.deepEqual([read(THR), read(THR), read(LSR), read(IIR)], [0x6f, 0x6b, 0x60, 0xc1]);
  });

  await context.test('the transmitter asks for more, and loopback comes back', () => {
    const { in: read, out, log } = testPc();
    out(IER, 0x02);
    assert.deepEqual([read(IIR), read(IIR)], [0x02, 0x01]);
    log.splice(0);
    out(MCR, 0x1a);
    out(THR, 0x42);
    assert.deepEqual([read(MSR) & 0xf0, read(THR), log], [0x90, 0x42, []]);
  });
});
