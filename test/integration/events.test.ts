import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readEvents } from '../../src/containers/events-reader.ts';
import { recordEvent, type EventRecord } from '../../src/containers/events.ts';
import { ended, Everyday } from '../support/everyday.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'cgroups');

/** All that is kept. */
function kept(everyday: Everyday, ...words: string[]): EventRecord[] {
  const lines = everyday.output('events', '--since', '1h', '--until', '0s', '--json', ...words).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as EventRecord);
}

test('the life of a container, in order, in docker\'s form', { skip }, async () => {
  await using everyday = new Everyday();
  const id = everyday.output('run', '-d', '--name', 'life', '-l', 'tier=web', 'host', 'sleep', '1000').trim();
  everyday.delos('exec', 'life', 'sh', '-c', 'exit 3');
  everyday.output('pause', 'life');
  everyday.output('unpause', 'life');
  everyday.output('rename', 'life', 'afterlife');
  everyday.output('stop', '-t', '0', 'afterlife');
  everyday.output('rm', 'afterlife');
  const events = kept(everyday);
  assert.deepEqual(events.map(({ Action }) => Action), [
    'create', 'start', 'exec_create: sh -c exit 3', 'exec_start: sh -c exit 3', 'exec_die', 'pause', 'unpause', 'rename', 'kill', 'kill', 'die', 'stop', 'destroy',
  ]);
  const died = events.find(({ Action }) => Action === 'die');
  assert.deepEqual(
    [died?.Type, died?.status, died?.id, died?.from, died?.scope, died?.Actor.ID, died?.Actor.Attributes['exitCode'], died?.Actor.Attributes['name'], died?.Actor.Attributes['tier']],
    ['container', 'die', id, 'host', 'local', id, '137', 'afterlife', 'web'],
  );
  assert.ok(Math.abs((died?.time ?? 0) * 1000 - Date.now()) < 60_000 && Math.floor((died?.timeNano ?? 0) / 1e9) === died?.time);
  assert.deepEqual(events.filter(({ Action }) => Action === 'kill').map(({ Actor }) => Actor.Attributes['signal']), ['15', '9']);
  const find = (...filters: string[]): string => kept(everyday, ...filters.flatMap((filter) => ['-f', filter])).map(({ Action }) => Action).join();
  assert.equal(find('event=die', 'event=start'), 'start,die');
  assert.equal(find('event=exec_start', 'container=life'), 'exec_start: sh -c exit 3');
  assert.equal(find('event=die', 'label=tier=db'), '');
  assert.equal(find('event=die', 'label=tier', `container=${id.slice(0, 12)}`, 'type=container', 'image=host'), 'die');
  assert.match(everyday.delos('events', '-f', 'colour=red').stderr, /^delos: invalid --filter 'colour=red': expected one of container=, /);
  assert.match(everyday.output('events', '--since', '1h', '--until', '0s', '-f', 'event=die'), /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{9}\S+ container die [0-9a-f]{64} \(execDuration=\d+, exitCode=137, image=host, name=afterlife, tier=web\)\n$/);
});

test('an end is told once, whoever clears up first; oom is told', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '--rm', 'host', 'true');
  everyday.output('run', '-d', '--name', 'short', 'host', 'true');
  everyday.output('wait', 'short');
  everyday.delos('run', '--name', 'greedy', '-m', '16m', '--memory-swap', '16m', 'host', 'sh', '-c', 'x=$(head -c 100000000 /dev/zero | tr "\\0" x); echo never');
  await sleep(500);
  const actions = kept(everyday, '-f', 'event=start', '-f', 'event=die', '-f', 'event=oom', '-f', 'event=destroy').map(({ Action }) => Action);
  assert.deepEqual(actions, ['start', 'die', 'destroy', 'start', 'die', 'start', 'oom', 'die']);
});

test('events are told as they happen, until the time of --until', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('create', '--name', 'before', 'host', 'true');
  const watcher = everyday.start('events', '--until', new Date(Date.now() + 6000).toISOString(), '--format', '{{.Action}} {{.Actor.Attributes.name}}');
  const output: string[] = [];
  watcher.stdout?.on('data', (piece: Buffer) => output.push(piece.toString()));
  await sleep(1500);
  everyday.output('create', '--name', 'later', 'host', 'true');
  const told = performance.now();
  while (output.length === 0 && performance.now() - told < 1500) await sleep(10);
  assert.equal(output.join(''), 'create later\n');
  assert.equal(await ended(watcher), 0);
  assert.equal(output.join(''), 'create later\n');
});

test('many writers, two files that are full again and again: nothing is lost to one who reads along, and the size is bounded', { timeout: 60_000 }, async () => {
  await using everyday = new Everyday();
  const places = { data: everyday.data, run: everyday.run };
  const padding = 'p'.repeat(3000);
  const stop = new AbortController();
  const seen: string[] = [];
  const reading = (async (): Promise<void> => {
    for await (const { record } of readEvents(places, { past: true, signal: stop.signal })) seen.push(record.Action);
  })();
  const [program = '', ...before] = [process.execPath];
  const script = `import { recordEvent } from ${JSON.stringify(path.resolve(import.meta.dirname, '../../src/containers/events.ts'))};
    for (let i = 0; i < 300; i++) { recordEvent(${JSON.stringify(places)}, { type: 'image', action: process.argv[1] + ':' + i, id: 'x', attributes: { padding: '${padding}' } }); await new Promise((r) => setTimeout(r, 1)); }`;
  const { spawn } = await import('node:child_process');
  const writers = [0, 1, 2, 3].map((number) => spawn(program, [...before, '--input-type=module', '-e', script, String(number)], { stdio: 'inherit' }));
  for (const writer of writers) assert.equal(await ended(writer), 0);
  await sleep(300);
  stop.abort();
  await reading;
  assert.deepEqual(seen.toSorted(), [0, 1, 2, 3].flatMap((writer) => Array.from({ length: 300 }, (_, i) => `${writer}:${i}`)).toSorted());
  const sizes = fs.readdirSync(path.join(everyday.data, 'events')).map((name) => fs.statSync(path.join(everyday.data, 'events', name)).size);
  assert.ok(sizes.length === 2 && sizes.every((size) => size < 1.1 * (1 << 20)), sizes.join());
});

test('a line that a crash has cut is passed over, and an event that cannot be written does no harm', async () => {
  await using everyday = new Everyday();
  const places = { data: everyday.data, run: everyday.run };
  recordEvent(places, { type: 'image', action: 'tag', id: 'one', attributes: {} });
  fs.appendFileSync(path.join(everyday.data, 'events/current'), '{"Type":"image","Act\n[]\nnull\n');
  recordEvent(places, { type: 'image', action: 'tag', id: 'two', attributes: { long: 'x'.repeat(200_000), name: 'n' } });
  assert.deepEqual(kept(everyday).map(({ Actor }) => [Actor.ID, Actor.Attributes]), [['one', {}], ['two', { name: 'n' }]]);
  recordEvent({ ...places, data: path.join(everyday.data, 'events/current') }, { type: 'image', action: 'tag', id: 'x', attributes: {} });
});
