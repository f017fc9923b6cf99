import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthPlan } from './health.ts';
import { restartPolicy } from './restart.ts';
import { statusLine } from './status.ts';
import { image, parseRunWords } from './testing/surroundings.ts';

const flags = (...words: string[]): ReturnType<typeof parseRunWords> => parseRunWords(['run', ...words, 'i']);

test('a health check out of flags, out of an image, and out of both', () => {
  assert.equal(healthPlan(flags(), image), undefined);
  assert.deepEqual(healthPlan(flags('--health-cmd', 'curl x'), image), {
    command: ['/bin/sh', '-c', 'curl x'], test: ['CMD-SHELL', 'curl x'], intervalMs: 30_000, timeoutMs: 30_000, startPeriodMs: 0, startIntervalMs: 30_000, retries: 3,
  });
  const checked = { ...image, shell: ['/bin/ash', '-ec'], healthcheck: { test: ['CMD-SHELL', 'test -e x'], interval: 5e9, timeout: 2e9, startPeriod: 60e9, retries: 7 } };
  assert.deepEqual(healthPlan(flags('--health-timeout', '9s', '--health-start-interval', '1s'), checked), {
    command: ['/bin/ash', '-ec', 'test -e x'], test: ['CMD-SHELL', 'test -e x'], intervalMs: 5000, timeoutMs: 9000, startPeriodMs: 60_000, startIntervalMs: 1000, retries: 7,
  });
  assert.equal(healthPlan(flags('--no-healthcheck'), checked), undefined);
  assert.equal(healthPlan(flags(), { ...image, healthcheck: { test: ['NONE'] } }), undefined);
  assert.deepEqual(healthPlan(flags(), { ...image, healthcheck: { test: ['CMD', 'a', 'b'] } })?.command, ['a', 'b']);
});

test('what a health check cannot be', () => {
  for (const words of [['--no-healthcheck', '--health-cmd', 'x'], ['--health-interval', '1us'], ['--health-retries', '-1']]) {
    assert.throws(() => healthPlan(flags(...words), image), { code: 'bad-usage', message: /^[^\n]+$/ }, words.join(' '));
  }
});

test('restart policies', () => {
  assert.equal(restartPolicy('no'), undefined);
  assert.equal(restartPolicy(), undefined);
  assert.deepEqual(restartPolicy('always'), { name: 'always', maximumRetries: 0 });
  assert.deepEqual(restartPolicy('on-failure'), { name: 'on-failure', maximumRetries: 0 });
  assert.deepEqual(restartPolicy('on-failure:5'), { name: 'on-failure', maximumRetries: 5 });
  for (const text of ['never', 'always:1', 'on-failure:', 'on-failure:-1', 'on-failure:1:2', 'no:1']) assert.throws(() => restartPolicy(text), { code: 'bad-usage' }, text);
});

test('health and restarts in ps', () => {
  const now = 1_000_000_000;
  const up = (status: 'starting' | 'healthy' | 'unhealthy'): string => statusLine({ status: 'running', startedAtMs: now - 180_000, health: { status } }, now);
  assert.deepEqual([up('starting'), up('healthy'), up('unhealthy')], ['Up 3 minutes (health: starting)', 'Up 3 minutes (healthy)', 'Up 3 minutes (unhealthy)']);
  assert.equal(statusLine({ status: 'restarting', exitCode: 1, finishedAtMs: now - 3000 }, now), 'Restarting (1) 3 seconds ago');
});
