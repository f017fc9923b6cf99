import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { parseEntry, readLog } from './log.ts';

const lines = [
  '2026-11-21T10:00:00.000000000Z stdout F one',
  '2026-11-21T10:00:00.000000001Z stderr F two',
  '2026-11-21T10:00:00.000000002Z stdout P thr',
  '2026-11-21T10:00:00.000000003Z stdout F ee',
  '2026-11-21T10:00:00.000000004Z stdout F ',
];

async function texts(content: string, tail?: number): Promise<string[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-log-'));
  try {
    fs.writeFileSync(path.join(folder, 'log'), content);
    const found: string[] = [];
    for await (const { text, partial } of readLog(path.join(folder, 'log'), { goesOn: () => false, tail })) found.push(`${text}${partial ? '' : '\n'}`);
    return found;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

test('entries with their stream, pieces and empty lines', async () => {
  assert.deepEqual(await texts(`${lines.join('\n')}\n`), ['one\n', 'two\n', 'thr', 'ee\n', '\n']);
  assert.equal(parseEntry(Buffer.from(lines[1] ?? '')).stream, 'stderr');
});

test('an entry that is only being written is left for later', async () => {
  assert.deepEqual(await texts(`${lines[0]}\n2026-11-21T10`), ['one\n']);
});

test('--tail counts whole lines', async () => {
  assert.deepEqual(await texts(`${lines.join('\n')}\n`, 2), ['thr', 'ee\n', '\n']);
  assert.deepEqual(await texts(`${lines.join('\n')}\n`, 0), []);
  assert.deepEqual(await texts(`${lines.join('\n')}\n`, 99), ['one\n', 'two\n', 'thr', 'ee\n', '\n']);
});

test('--tail keeps the pieces of a line together across the other stream', async () => {
  const mixed = ['stdout P par', 'stderr F err', 'stdout F tial'].map((text) => `2026-11-21T10:00:00.000000000Z ${text}\n`).join('');
  assert.deepEqual(await texts(mixed, 2), ['par', 'err\n', 'tial\n']);
  assert.deepEqual(await texts(mixed, 1), ['err\n']);
});

test('a log that is none is refused', () => {
  assert.throws(() => parseEntry(Buffer.from('hello')), /log: expected/);
});
