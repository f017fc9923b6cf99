import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyAccess, assertResumes, Bench, timePasses } from '../../test/support/device-bench.ts';
import { SerialInput } from './serial-input.ts';
import { Uart } from './uart.ts';

const COM1 = 0x3f8;
const THR = COM1;
const IER = COM1 + 1;
const IIR = COM1 + 2;
const LCR = COM1 + 3;
const MCR = COM1 + 4;
const LSR = COM1 + 5;
const MSR = COM1 + 6;
const SCR = COM1 + 7;

interface Port {
  bench: Bench;
  uart: Uart;
  input: SerialInput;
  sent: number[];
}

function build(bench = new Bench()): Port {
  const sent: number[] = [];
  const output = (byte: number): void => {
    sent.push(byte);
    bench.log.push(`sent ${byte}`);
  };
  const uart: Uart = new Uart({ clock: bench.clock, irq: bench.line('irq4'), output, room: () => input.feed() });
  const input = new SerialInput(() => uart);
  bench.bus.ports.attach(COM1, 8, uart);
  bench.stateful.push(uart);
  return { bench, uart, input, sent };
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

test('after reset: transmitter empty, no cause, a modem that is there', () => {
  const { bench } = build();
  assert.deepEqual([IER, IIR, LCR, MCR, LSR, MSR, SCR].map((port) => bench.in(port)), [0, 1, 0, 0, 0x60, 0xb0, 0]);
  assert.deepEqual(bench.logged(), []);
});

test('what is written to THR goes out; with DLAB it is the divisor', () => {
  const { bench, sent } = build();
  for (const byte of bytes('Hi!')) bench.out(THR, byte);
  bench.out(LCR, 0x83);
  bench.out(THR, 0x0c);
  bench.out(IER, 0x01);
  assert.deepEqual([bench.in(THR), bench.in(IER), Buffer.from(sent).toString()], [0x0c, 0x01, 'Hi!']);
  bench.out(LCR, 0x03);
  bench.out(IER, 0xff);
  assert.deepEqual([bench.in(IER), bench.in(LCR)], [0x0f, 0x03], 'the upper half of IER is always 0');
  bench.out(SCR, 0xa5);
  bench.out(LSR, 0);
  bench.out(MSR, 0);
  assert.deepEqual([bench.in(SCR), bench.in(LSR), bench.in(MCR)], [0xa5, 0x60, 0]);
});

test('the transmitter\'s interrupt: at once when it is enabled, told once, again after a byte', () => {
  const { bench } = build();
  bench.out(IER, 0x02);
  assert.deepEqual([bench.logged(), bench.in(IIR), bench.in(IIR), bench.logged()], [['irq4+'], 0x02, 0x01, ['irq4-']]);
  bench.out(IER, 0x02);
  assert.equal(bench.in(IIR), 0x01, 'enabled already');
  bench.out(THR, 65);
  assert.equal(bench.in(IIR), 0x02);
  bench.out(IER, 0);
  bench.out(IER, 0x02);
  assert.equal(bench.in(IIR), 0x02, 'as the 8250 driver of Linux probes for it');
});

test('a received character without FIFOs', () => {
  const { bench, uart } = build();
  bench.out(IER, 0x01);
  assert.equal(uart.receive(bytes('xy')), 1, 'one at a time');
  assert.deepEqual([bench.in(IIR), bench.in(LSR), bench.in(THR), bench.in(LSR), bench.in(IIR)], [0x04, 0x61, 0x78, 0x60, 0x01]);
  assert.deepEqual(bench.logged(), ['irq4+', 'irq4-']);
});

test('FIFOs: the trigger level, the timeout below it, sixteen and no more', () => {
  const { bench, uart } = build();
  bench.out(LCR, 0x83);
  bench.out(THR, 1);
  bench.out(LCR, 0x03);
  bench.out(IER, 0x01);
  bench.out(IIR, 0x81);
  assert.equal(bench.in(IIR), 0xc1);
  assert.equal(uart.receive(bytes('1234567')), 7);
  assert.equal(bench.in(IIR), 0xc1);
  assert.equal(uart.receive(bytes('8')), 1);
  assert.deepEqual([bench.in(IIR), bench.in(THR), bench.in(IIR)], [0xc4, 0x31, 0xc1]);
  bench.clock.advance(Math.ceil((40 / 115200) * 1e9) - 2);
  assert.equal(bench.in(IIR), 0xc1);
  bench.clock.advance(2);
  assert.equal(bench.in(IIR), 0xcc, 'four times ten bits');
  assert.deepEqual([bench.in(THR), bench.in(IIR)], [0x32, 0xc1], 'a read ends it');
  assert.equal(uart.receive(bytes('abcdefghijklmnop')), 10);
  assert.equal(uart.receive(bytes('z')), 0);
  bench.out(IIR, 0xc3);
  assert.deepEqual([bench.in(LSR), bench.in(IIR)], [0x60, 0xc1], 'cleared');
  bench.clock.advance(1e9);
  assert.equal(bench.in(IIR), 0xc1);
});

test('input of any length goes in as it is read', () => {
  const { bench, input } = build();
  bench.out(IIR, 0x01);
  const text = 'The quick brown fox jumps over the lazy dog.';
  input.send(bytes(text.slice(0, 20)));
  input.send(bytes(''));
  input.send(bytes(text.slice(20)));
  assert.equal(input.length, text.length - 16);
  let read = '';
  while ((bench.in(LSR) & 1) !== 0) read += String.fromCharCode(bench.in(THR));
  assert.deepEqual([read, input.length], [text, 0]);
});

test('a break: an error at the top of the FIFO, of the highest priority', () => {
  const { bench, uart } = build();
  bench.out(IER, 0x07);
  bench.out(IIR, 0x01);
  uart.receive(bytes('a'));
  assert.equal(uart.receiveBreak(), true);
  assert.equal(bench.in(IIR), 0xc4);
  assert.deepEqual([bench.in(LSR), bench.in(THR)], [0xe1, 0x61]);
  assert.deepEqual([bench.in(IIR), bench.in(LSR), bench.in(LSR), bench.in(IIR)], [0xc6, 0xf1, 0xe1, 0xc4]);
  assert.deepEqual([bench.in(THR), bench.in(LSR), bench.in(IIR)], [0, 0x60, 0xc2]);
});

test('loopback: what is sent is received, the outputs are the inputs, and nothing leaves', () => {
  const { bench, uart, sent } = build();
  bench.out(MCR, 0x1a);
  assert.equal(bench.in(MSR) & 0xf0, 0x90, 'as Linux asks whether there is a port');
  bench.out(IER, 0x0d);
  bench.out(THR, 0x55);
  assert.equal(uart.receive(bytes('x')), 0);
  assert.deepEqual([bench.in(IIR), bench.in(THR), sent], [0x04, 0x55, []]);
  bench.out(MCR, 0x15);
  assert.deepEqual([bench.in(IIR), bench.in(MSR), bench.in(MSR), bench.in(IIR)], [0x00, 0x6b, 0x60, 0x01], 'RI has come, CTS and DCD have gone, DSR has come');
  bench.out(MCR, 0x11);
  assert.equal(bench.in(MSR), 0x24, 'RI has gone');
  bench.out(THR, 1);
  bench.out(THR, 2);
  assert.deepEqual([bench.in(LSR), bench.in(THR)], [0x63, 2], 'an overrun');
});

test('a 16550A, not a 16650 or 16750, to the probes of Linux', () => {
  const { bench } = build();
  bench.out(IIR, 0x01);
  assert.equal(bench.in(IIR) >> 6, 3);
  bench.out(LCR, 0xbf);
  assert.notEqual(bench.in(IIR), 0);
  bench.out(LCR, 0);
  bench.out(IIR, 0x21);
  const before = bench.in(IIR) >> 5;
  bench.out(LCR, 0x80);
  bench.out(IIR, 0x21);
  assert.deepEqual([before, bench.in(IIR) >> 5], [6, 6]);
});

test('a word is two registers', () => {
  const { bench, sent } = build();
  bench.out(COM1, 0x0241, 2);
  assert.deepEqual([sent, bench.in(COM1, 4) >>> 0], [[0x41], 0x00020200]);
});

test('a restored port goes on as the saved one', () => {
  assertResumes((bench) => build(bench).uart, (uart) => [
    anyAccess(THR, IER, IIR, LCR, MCR, LSR, MSR, SCR, THR, IIR), timePasses(1e7),
    (_bench, random) => uart.receive(Uint8Array.from({ length: random(8) }, () => random(256))),
    (_bench, random) => random(9) === 0 && uart.receiveBreak(),
  ]);
});
