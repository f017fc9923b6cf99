import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterCheck, unknownHealth, type Health, type HealthPlan } from './health.ts';

const plan: HealthPlan = { command: ['true'], test: ['CMD', 'true'], intervalMs: 1, startIntervalMs: 1, timeoutMs: 1, startPeriodMs: 10_000, retries: 2 };
const startedAtMs = Date.parse('2026-11-21T10:00:00Z');

function check(health: Health, exitCode: number, second: number): Health {
  const at = new Date(startedAtMs + second * 1000).toISOString();
  return afterCheck(health, { start: at, end: at, exitCode, output: String(second) }, plan, startedAtMs);
}

const words = (health: Health): unknown[] => [health.status, health.failingStreak];

test('failures count after the start period, and within it once it was healthy', () => {
  const early = check(unknownHealth, 1, 9);
  assert.deepEqual(words(early), ['starting', 0]);
  const once = check(early, 1, 10);
  assert.deepEqual(words(once), ['starting', 1]);
  assert.deepEqual(words(check(once, 1, 11)), ['unhealthy', 2]);
  const well = check(unknownHealth, 0, 1);
  assert.deepEqual(words(well), ['healthy', 0]);
  assert.deepEqual(words(check(well, -1, 2)), ['healthy', 1]);
  assert.deepEqual(words(check(check(well, 1, 2), 1, 3)), ['unhealthy', 2]);
  assert.deepEqual(words(check(check(check(well, 1, 2), 1, 3), 0, 4)), ['healthy', 0]);
});

test('the last five results are kept, the oldest first', () => {
  let health = unknownHealth;
  for (let second = 0; second < 8; second++) health = check(health, 0, second);
  assert.deepEqual(health.log.map(({ output }) => output), ['3', '4', '5', '6', '7']);
});
