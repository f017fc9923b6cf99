import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isAlive, parseProcessStat, readProcessStat } from './process-stat.ts';

const line = (name: string, state = 'S'): string =>
  `4021 (${name}) ${state} 1 4021 4021 0 -1 4194560 100 0 0 0 0 0 0 0 20 0 1 0 18446744073709551615 2371584 230 0\n`;

test('pid, state and start time are read past any name', () => {
  for (const name of ['sleep', '', 'a b', ') R 1', 'x) Z 1 (y', '((', '))', 'two\nlines']) {
    assert.deepEqual(parseProcessStat(line(name)), { pid: 4021, state: 'S', startTime: 18446744073709551615n, hasExecuted: true }, name);
  }
});

test('a text that is cut anywhere before the end of the start time is none', () => {
  const text = line('sleep');
  const end = text.indexOf('18446744073709551615') + '18446744073709551615'.length;
  for (let length = 0; length <= end; length++) assert.equal(parseProcessStat(text.slice(0, length)), undefined, text.slice(0, length));
  assert.equal(parseProcessStat('4021 sleep S 1 4021'), undefined);
  assert.equal(parseProcessStat(line('sleep').replace('4021 (', 'x (')), undefined);
});

test('a process that was forked and has executed nothing is told from others', () => {
  assert.equal(parseProcessStat(line('sleep').replace(' 4194560 ', ' 4194624 '))?.hasExecuted, false);
  assert.equal(readProcessStat(process.pid)?.hasExecuted, true);
});

test('this process is alive, and nobody else has its start time', () => {
  const own = readProcessStat(process.pid);
  assert.ok(own);
  assert.deepEqual({ ...own, state: '' }, { ...parseProcessStat(readFileSync('/proc/self/stat', 'utf8')), state: '' });
  assert.equal(isAlive(own), true);
  assert.equal(isAlive({ pid: own.pid, startTime: own.startTime - 1n }), false);
  assert.equal(readProcessStat(2 ** 30), undefined);
  assert.equal(isAlive({ pid: 2 ** 30, startTime: 1n }), false);
});
