import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logLine } from './log.ts';

const at = new Date('2026-11-21T11:43:47.999Z');

test('a line as logrus writes it', () => {
  assert.equal(logLine('text', 'error', 'container does not exist', at), 'time="2026-11-21T11:43:47Z" level=error msg="container does not exist"\n');
  assert.equal(logLine('text', 'debug', 'unquoted/w@rd', at), 'time="2026-11-21T11:43:47Z" level=debug msg=unquoted/w@rd\n');
  assert.equal(logLine('json', 'warning', 'a "b"\n', at), '{"level":"warning","msg":"a \\"b\\"\\n","time":"2026-11-21T11:43:47Z"}\n');
});

test('a message of several lines stays one line', () => {
  assert.equal(logLine('text', 'error', 'a\nb', at).split('\n').length, 2);
});
