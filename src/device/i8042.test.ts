import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyAccess, assertResumes, Bench } from '../../test/support/device-bench.ts';
import { I8042 } from './i8042.ts';

function build(bench = new Bench()): { bench: Bench; keyboard: I8042 } {
  const keyboard = new I8042({ irq: bench.line('irq1'), reset: () => bench.log.push('reset'), a20: bench.line('a20') });
  bench.bus.ports.attach(0x60, 1, keyboard.data);
  bench.bus.ports.attach(0x64, 1, keyboard.control);
  bench.stateful.push(keyboard);
  return { bench, keyboard };
}

/** A command to the controller, its arguments, and all that can be read then. */
function command(bench: Bench, code: number, ...args: readonly number[]): number[] {
  bench.out(0x64, code);
  for (const arg of args) bench.out(0x60, arg);
  return all(bench);
}

/** A command to the keyboard. */
function keyboardCommand(bench: Bench, ...codes: readonly number[]): number[] {
  for (const code of codes) bench.out(0x60, code);
  return all(bench);
}

function all(bench: Bench): number[] {
  const bytes: number[] = [];
  while ((bench.in(0x64) & 1) !== 0) bytes.push(bench.in(0x60));
  return bytes;
}

test('status, self-test, interface test, command byte', () => {
  const { bench } = build();
  assert.equal(bench.in(0x64), 0x14);
  assert.deepEqual([command(bench, 0xaa), command(bench, 0xab), command(bench, 0x20)], [[0x55], [0], [0x65]]);
  assert.equal(bench.in(0x64), 0x1c, 'the last write was a command');
  assert.deepEqual([command(bench, 0x60, 0x74), command(bench, 0x20)], [[], [0x74]]);
  assert.deepEqual([command(bench, 0x65, 0x5a), command(bench, 0x25), command(bench, 0xc0), command(bench, 0xe0)], [[], [0x5a], [0xa0], [0]]);
  assert.equal(command(bench, 0x12).length, 0, 'unknown');
});

test('no mouse: its port is dead, and the loop test does not come back as a mouse\'s', () => {
  const { bench } = build();
  assert.deepEqual(command(bench, 0xa9), [0x01]);
  bench.out(0x64, 0xd3);
  bench.out(0x60, 0x5a);
  assert.deepEqual([bench.in(0x64) & 0x21, bench.in(0x60)], [0x01, 0x5a]);
  assert.deepEqual(command(bench, 0xd4, 0xff), []);
  assert.deepEqual([command(bench, 0xa8), command(bench, 0x20), command(bench, 0xa7), command(bench, 0x20)], [[], [0x45], [], [0x65]]);
});

test('the reset pulse, and the reset bit of the output port', () => {
  const { bench } = build();
  bench.logged();
  command(bench, 0xff);
  command(bench, 0xd1, 0x03);
  assert.deepEqual(bench.logged(), []);
  command(bench, 0xfe);
  assert.deepEqual(bench.logged(), ['reset']);
  command(bench, 0xd1, 0x02);
  assert.deepEqual(bench.logged(), ['reset']);
});

test('address line 20', () => {
  const { bench } = build();
  assert.equal(bench.up('a20'), true);
  command(bench, 0xd1, 0x01);
  assert.deepEqual([bench.up('a20'), command(bench, 0xd0)], [false, [0x01]]);
  command(bench, 0xdf);
  assert.deepEqual([bench.up('a20'), command(bench, 0xd0)], [true, [0x03]]);
  command(bench, 0xdd);
  assert.equal(bench.up('a20'), false);
});

test('the keyboard answers its commands', () => {
  const { bench, keyboard } = build();
  assert.deepEqual(keyboardCommand(bench, 0xff), [0xfa, 0xaa]);
  assert.deepEqual(keyboardCommand(bench, 0xf2), [0xfa, 0xab, 0x41], 'its identity, translated');
  assert.deepEqual(keyboardCommand(bench, 0xed, 0x04), [0xfa, 0xfa]);
  assert.equal(keyboard.leds, 4);
  assert.deepEqual(keyboardCommand(bench, 0xee), [0xee]);
  assert.deepEqual(keyboardCommand(bench, 0xfe), [0xee]);
  assert.deepEqual(keyboardCommand(bench, 0xf3, 0x20), [0xfa, 0xfa]);
  assert.deepEqual(keyboardCommand(bench, 0x10), [0xfe]);
  command(bench, 0x60, 0x25);
  assert.deepEqual(keyboardCommand(bench, 0xf0, 0x00), [0xfa, 0xfa, 0x02]);
  assert.deepEqual(keyboardCommand(bench, 0xed, 0xf4), [0xfa, 0xfa], 'a command instead of the argument');
});

test('keys: in set 1 with translation, in set 2 without; each byte is an edge', () => {
  const { bench, keyboard } = build();
  bench.logged();
  keyboard.press(0x1e, 0x9e);
  assert.deepEqual([bench.logged(), bench.in(0x60), bench.logged(), bench.in(0x60), bench.logged()], [['irq1+'], 0x1e, ['irq1-', 'irq1+'], 0x9e, ['irq1-']]);
  keyboard.press(0xe0, 0x48, 0xe0, 0xc8);
  assert.deepEqual(all(bench), [0xe0, 0x48, 0xe0, 0xc8]);
  command(bench, 0x60, 0x24);
  bench.logged();
  keyboard.press(0x1e, 0x9e);
  assert.deepEqual([all(bench), bench.logged()], [[0x1c, 0xf0, 0x1c], []], 'and no interrupt, which the command byte has turned off');
});

test('a keyboard that is turned off keeps its keys; one that does not scan has none', () => {
  const { bench, keyboard } = build();
  command(bench, 0xad);
  keyboard.press(0x02);
  assert.deepEqual([all(bench), command(bench, 0xae)], [[], [0x02]]);
  assert.deepEqual(keyboardCommand(bench, 0xf5), [0xfa]);
  keyboard.press(0x02);
  assert.deepEqual([all(bench), keyboardCommand(bench, 0xf4)], [[], [0xfa]]);
});

test('more keys than anybody reads end in overruns, and commands are answered still', () => {
  const { bench, keyboard } = build();
  for (let count = 0; count < 500; count++) keyboard.press(0x1e);
  bench.out(0x60, 0xee);
  const bytes = all(bench);
  assert.ok(bytes.length < 70 && bytes.includes(0xff), `${bytes}`);
  assert.equal(bytes.at(-1), 0xee);
});

test('every key of set 1 comes through', () => {
  const { bench, keyboard } = build();
  for (let code = 1; code < 0x59; code++) {
    if (code >= 0x54 && code <= 0x56) continue;
    keyboard.press(code, code | 0x80);
    assert.deepEqual(all(bench), [code, code | 0x80]);
  }
});

test('a restored controller goes on as the saved one', () => {
  assertResumes((bench) => build(bench).keyboard, (keyboard) => [
    anyAccess(0x60, 0x64, 0x60),
    (_bench, random) => keyboard.press(random(0x59), random(256)),
    (bench) => all(bench),
  ]);
});
