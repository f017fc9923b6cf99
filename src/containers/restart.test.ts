import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container } from './container.ts';
import { nextRestart, startsAtBoot } from './restart.ts';

const container: Container = {
  version: 1, id: '0'.repeat(64), name: 'web', image: 'host', command: ['true'], created: '2026-11-21T10:00:00.000Z', root: { kind: 'folder' }, networks: [], labels: {},
  autoRemove: false, tty: false, openStdin: false, stopSignal: 15, stopTimeoutSeconds: 10, anonymousVolumes: [], flags: {}, starts: 1, startedAt: '2026-11-21T10:00:00.000Z',
};

const after = (exitCode: number, ranMs = 0): Parameters<typeof nextRestart>[1] => ({ exitCode, startedAtMs: 1000, finishedAtMs: 1000 + ranMs });
const of = (name: 'on-failure' | 'always' | 'unless-stopped', more: Partial<Container> = {}, maximumRetries = 0): Container => ({ ...container, restart: { name, maximumRetries }, ...more });

test('which ends are followed by a start', () => {
  assert.equal(nextRestart(container, after(1)), undefined);
  for (const name of ['always', 'unless-stopped'] as const) {
    assert.deepEqual(nextRestart(of(name), after(0)), { delayMs: 100 });
    assert.equal(nextRestart(of(name, { stoppedByHand: true }), after(137)), undefined);
  }
  assert.equal(nextRestart(of('on-failure'), after(0)), undefined);
  assert.deepEqual(nextRestart(of('on-failure', { restarts: 1000 }), after(1)), { delayMs: 100 });
  assert.deepEqual(nextRestart(of('on-failure', { restarts: 2 }, 3), after(1)), { delayMs: 100 });
  assert.equal(nextRestart(of('on-failure', { restarts: 3 }, 3), after(1)), undefined);
});

test('the delay doubles from 100 ms to a minute, and begins anew after ten seconds of running', () => {
  const delays: number[] = [];
  for (let backoffMs = 0; delays.length < 12; backoffMs = delays.at(-1) ?? 0) delays.push(nextRestart(of('always', { backoffMs }), after(1, 9999))?.delayMs ?? 0);
  assert.deepEqual(delays, [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]);
  assert.deepEqual(nextRestart(of('always', { backoffMs: 60_000 }), after(1, 10_000)), { delayMs: 100 });
});

test('what is started after a reboot', () => {
  const byHand = { stoppedByHand: true };
  assert.deepEqual([startsAtBoot(of('always'), 0), startsAtBoot(of('always', byHand), 0)], [true, true]);
  assert.deepEqual([startsAtBoot(of('unless-stopped'), 0), startsAtBoot(of('unless-stopped', byHand), 0)], [true, false]);
  assert.deepEqual([startsAtBoot(of('on-failure'), 255), startsAtBoot(of('on-failure'), 0), startsAtBoot(of('on-failure', byHand), 255)], [true, false, false]);
  const { startedAt: _, ...never } = of('always');
  assert.deepEqual([startsAtBoot(never, 0), startsAtBoot(container, 1)], [false, false]);
});
