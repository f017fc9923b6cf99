import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDetachKeys } from './detach-keys.ts';
import { parseSignal, signalName } from './signal.ts';

test('signals by name and number', () => {
  const good: [string, string, number][] = [
    ['TERM', 'SIGTERM', 15], ['SIGKILL', 'SIGKILL', 9], ['kill', 'SIGKILL', 9], ['9', 'SIGKILL', 9], ['RTMIN', 'SIGRTMIN', 34], ['SIGRTMIN+3', 'SIGRTMIN+3', 37],
    ['RTMAX', 'SIGRTMIN+30', 64], ['rtmax-1', 'SIGRTMIN+29', 63], ['32', '32', 32],
  ];
  for (const [text, name, number] of good) assert.deepEqual(parseSignal(text), { name, number }, text);
  for (const text of ['', '0', '65', '-9', 'BOGUS', 'SIG', 'RTMIN-1', 'RTMAX+1', '9x', 'SIGSIGTERM', 'constructor']) {
    assert.throws(() => parseSignal(text), { code: 'bad-usage' }, text);
  }
  assert.equal(signalName(1), 'SIGHUP');
});

test('detach keys', () => {
  assert.deepEqual([...parseDetachKeys('ctrl-p,ctrl-q')], [16, 17]);
  assert.deepEqual([...parseDetachKeys('a,ctrl-[,ctrl-@')], [97, 27, 0]);
  for (const text of ['', 'ctrl-', 'ctrl-P', 'ab', 'a,,b', 'ä']) assert.throws(() => parseDetachKeys(text), { code: 'bad-usage' }, text);
});
