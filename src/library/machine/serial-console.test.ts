import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SerialConsole } from './serial-console.ts';

const encoder = new TextEncoder();
async function all(console: SerialConsole): Promise<string> {
  let text = '';
  for await (const piece of console) text += piece;
  return text;
}
const say = (console: SerialConsole, text: string): void => console.take(encoder.encode(text));

test('who reads gets all from the beginning, in pieces, and is done when the machine is', async () => {
  const console = new SerialConsole();
  say(console, 'one ');
  const readers = [all(console), all(console)];
  await Promise.resolve();
  say(console, 'two');
  await new Promise((resolve) => setImmediate(resolve));
  say(console, ' three');
  console.end();
  for (const read of await Promise.all(readers)) assert.equal(read, 'one two three');
});

test('waitFor gives all up to the words, across pieces, and goes on behind them', async () => {
  const console = new SerialConsole();
  const first = console.waitFor('login: ');
  say(console, 'Welcome\nlog');
  say(console, 'in: $ ');
  assert.equal(await first, 'Welcome\nlogin: ');
  assert.equal(await console.waitFor(/[$#] /g), '$ ');
  const never = console.waitFor('$ ');
  console.end();
  assert.equal(await never, undefined);
});

test('a character that comes in two pieces is one, and half of one at the end is told as such', async () => {
  const console = new SerialConsole();
  const [first = 0, second = 0] = encoder.encode('é');
  console.take(Uint8Array.of(first));
  assert.equal(console.text, '');
  console.take(Uint8Array.of(second, first));
  console.end();
  console.end();
  assert.equal(console.text, 'é\ufffd');
});

test('of very much the last mebibyte stays, and who has read along misses nothing', async () => {
  const console = new SerialConsole();
  const reading = all(console);
  let lines = 0;
  for (; lines < 3; lines++) {
    say(console, `${lines}${'x'.repeat(900_000)}\n`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(console.text.length, 1 << 20);
  assert.equal(await console.waitFor('2'), `${'x'.repeat((1 << 20) - 900_003)}\n2`);
  console.end();
  assert.equal((await reading).length, lines * 900_002);
});
