import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAttachment, everydayLifecycle } from './lifecycle.ts';
import { statusLine } from './status.ts';
import { image, parseRun } from './testing/surroundings.ts';

test('what the flags say besides config.json', () => {
  assert.deepEqual(everydayLifecycle(parseRun('run i'), image), {
    labels: {}, autoRemove: false, stopSignal: { name: 'SIGTERM', number: 15 }, stopTimeoutSeconds: 10, interactive: false,
  });
  const labelled = { ...image, labels: { a: 'image', b: 'image' }, stopSignal: 'SIGQUIT' };
  assert.deepEqual(everydayLifecycle(parseRun('run --rm -i --name web -l b=flag -l c --stop-timeout -1 --explain i'), labelled), {
    name: 'web', labels: { a: 'image', b: 'flag', c: '' }, autoRemove: true, stopSignal: { name: 'SIGQUIT', number: 3 }, stopTimeoutSeconds: -1,
    interactive: true, explain: 'text',
  });
});

test('what the flags cannot say', () => {
  for (const [flags, code] of [['--name ../x', 'bad-id'], ['--stop-signal BOGUS', 'bad-usage'], ['--stop-timeout -2', 'bad-usage'], ['--explain=yaml', 'bad-usage'], ['--isolation vm', 'unsupported'], ['-l =x', 'bad-usage']]) {
    assert.throws(() => everydayLifecycle(parseRun(`run ${flags} i`), image), { code, message: /^[^\n]+$/ }, flags);
  }
  assert.throws(() => checkAttachment(parseRun('run -d --explain i')), { code: 'bad-usage' });
  checkAttachment(parseRun('run -d i'));
});

test('the status of ps', () => {
  const now = 1_000_000_000;
  assert.equal(statusLine({ status: 'created' }, now), 'Created');
  assert.equal(statusLine({ status: 'running', startedAtMs: now - 180_000 }, now), 'Up 3 minutes');
  assert.equal(statusLine({ status: 'paused', startedAtMs: now }, now), 'Up Less than a second (Paused)');
  assert.equal(statusLine({ status: 'stopped', exitCode: 137, finishedAtMs: now - 7_200_000 }, now), 'Exited (137) 2 hours ago');
});
