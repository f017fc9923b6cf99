import assert from 'node:assert/strict';
import { test } from 'node:test';
import { binarySize, decimalSize, humanDuration, parseBoolean, parseCpus, parseDuration, parseInteger, parseSize } from './units.ts';

const MIB = 1024 * 1024;

function table<T>(read: (text: string) => T, good: Record<string, T>, bad: string[]): void {
  for (const [text, value] of Object.entries(good)) assert.equal(read(text), value, text);
  for (const text of bad) assert.throws(() => read(text), { code: 'bad-usage' }, JSON.stringify(text));
}

test('parseSize reads docker\'s sizes, all of them binary', () => {
  table(parseSize, { '0': 0, '512': 512, '512b': 512, '64k': 65536, '64kb': 65536, '512m': 512 * MIB, '1.5g': 1536 * MIB, '1GiB': 1024 * MIB, '2 MB': 2 * MIB, '1t': 1024 ** 4 },
    ['', 'm', '-1', '1x', '1.m', '.5m', '1mm', '1e3', '8192p', ' 1m', '1m\n', '1,5g']);
});

test('parseDuration reads Go\'s durations as milliseconds', () => {
  table(parseDuration, { '0': 0, '10s': 10_000, '1m30s': 90_000, '1.5h': 5_400_000, '250ms': 250, '100us': 0.1 }, ['', '10', 's', '1d', '1s ', '-1s', '1s2']);
});

test('parseCpus', () => {
  table(parseCpus, { '0.5': 0.5, '2': 2, '.25': 0.25, '0.000000001': 1e-9 }, ['', '-1', '1/2', 'x', '0.0000000001', '1e1']);
});

test('parseInteger and parseBoolean', () => {
  table(parseInteger, { '0': 0, '-1': -1, '+7': 7, '0x10': 16 }, ['', '1.5', 'x', '9007199254740993', '0x', '1 ']);
  table(parseBoolean, { true: true, '1': true, F: false, False: false }, ['', 'yes', 'tRUE']);
});

test('sizes for people', () => {
  assert.deepEqual([0, 999, 1093, 24_200_000, 7.8e9].map((n) => decimalSize(n)), ['0B', '999B', '1.09kB', '24.2MB', '7.8GB']);
  assert.deepEqual([0, 1023, 1536 * MIB, 1614907704].map((n) => binarySize(n)), ['0B', '1023B', '1.5GiB', '1.504GiB']);
});

test('durations for people change words where docker\'s do', () => {
  const second = 1000;
  const hour = 3600 * second;
  const day = 24 * hour;
  const expected: [number, string][] = [
    [0, 'Less than a second'], [second, '1 second'], [59 * second, '59 seconds'], [60 * second, 'About a minute'], [119 * second, 'About a minute'],
    [180 * second, '3 minutes'], [59 * 60 * second, '59 minutes'], [hour, 'About an hour'], [1.5 * hour, '2 hours'], [47 * hour, '47 hours'],
    [2 * day, '2 days'], [13 * day, '13 days'], [14 * day, '2 weeks'], [60 * day, '2 months'], [729 * day, '24 months'], [730 * day, '2 years'],
  ];
  for (const [ms, words] of expected) assert.equal(humanDuration(ms), words);
});
