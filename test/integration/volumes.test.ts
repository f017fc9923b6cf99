import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, run, volumes } from '../../src/index.ts';
import { removeVolume } from '../../src/containers/volumes.ts';
import { Everyday } from '../support/everyday.ts';
import { marker } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'cgroups', 'busybox');

test('volumes are made, listed, shown and removed', { skip }, async () => {
  await using everyday = new Everyday();
  assert.equal(everyday.output('volume', 'create', '--label', 'tier=back', 'data'), 'data\n');
  assert.equal(everyday.output('volume', 'create', 'data'), 'data\n', 'one that is there stays as it is');
  const anonymous = everyday.output('volume', 'create').trim();
  assert.match(anonymous, /^[0-9a-f]{64}$/);
  assert.equal(everyday.output('volume', 'ls', '--filter', 'label=tier=back'), 'DRIVER    VOLUME NAME\nlocal     data\n');
  assert.deepEqual(everyday.output('volume', 'ls', '-q').trim().split('\n').toSorted(), [anonymous, 'data'].toSorted());
  assert.equal(everyday.output('volume', 'ls', '--filter', 'name=dat', '--format', '{{.Name}} {{.Driver}} {{.Mountpoint}} {{.Labels}}'), `data local ${everyday.data}/volumes/data/_data tier=back\n`);
  const [shown] = JSON.parse(everyday.output('volume', 'inspect', 'data')) as [{ CreatedAt: string }];
  assert.deepEqual({ ...shown, CreatedAt: '' }, {
    CreatedAt: '', Driver: 'local', Labels: { tier: 'back' }, Mountpoint: `${everyday.data}/volumes/data/_data`, Name: 'data', Options: {}, Scope: 'local',
  });
  assert.ok(Math.abs(Date.parse(shown.CreatedAt) - Date.now()) < 60_000);
  assert.deepEqual(everyday.delos('volume', 'rm', 'data', 'nobody', anonymous), { status: 1, signal: null, stdout: `data\n${anonymous}\n`, stderr: 'delos: there is no volume nobody\n' });
  assert.equal(everyday.output('volume', 'rm', '-f', 'nobody'), 'nobody\n');
  assert.deepEqual(fs.readdirSync(path.join(everyday.data, 'volumes')), []);
});

test('what is wrong is said in one line', { skip }, async () => {
  await using everyday = new Everyday();
  for (const [words, complaint] of [
    [['create', '../x'], /^delos: a volume's name has [^\n]*"\.\.\/x"\n$/], [['create', '-d', 'nfs', 'ab'], /nfs[^\n]*expected local\n$/], [['create', '-o', 'type=tmpfs', 'ab'], /type=tmpfs/],
    [['inspect', 'nobody'], /^delos: there is no volume nobody\n$/], [['ls', '--filter', 'size=1'], /expected one of dangling=, driver=, label=, name=\n$/], [['rm', '..'], /volume's name/],
  ] as const) {
    const { status, stderr } = everyday.delos('volume', ...words);
    assert.notEqual(status, 0, words.join(' '));
    assert.match(stderr, complaint);
  }
  assert.equal(everyday.delos('volume', 'inspect', 'nobody').stdout, '[]\n');
});

test('a volume is kept as long as a container has it, running or not, by -v or by --mount', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '--name', 'one', '-v', 'kept:/mnt', 'host', 'sh', '-c', 'echo was here > /mnt/file');
  everyday.output('create', '--name', 'two', '--mount', 'type=volume,source=other,target=/mnt', 'host', 'true');
  everyday.output('volume', 'create', 'loose');
  assert.equal(everyday.output('volume', 'ls', '-q', '--filter', 'dangling=true'), 'loose\n');
  assert.equal(everyday.output('volume', 'ls', '-q', '--filter', 'dangling=false'), 'kept\nother\n');
  assert.deepEqual(everyday.delos('volume', 'rm', 'kept', 'other'), {
    status: 1, signal: null, stdout: '', stderr: 'delos: volume kept is used by container one: remove that first\ndelos: volume other is used by container two: remove that first\n',
  });
  assert.equal(fs.readFileSync(path.join(everyday.data, 'volumes/kept/_data/file'), 'utf8'), 'was here\n');
  everyday.output('rm', 'one', 'two');
  assert.equal(everyday.output('run', '--rm', '-v', 'kept:/mnt', 'host', 'cat', '/mnt/file'), 'was here\n');
  const anonymous = everyday.output('volume', 'create').trim();
  assert.equal(everyday.output('volume', 'prune', '--force'), `Deleted Volumes:\n${anonymous}\n\nTotal reclaimed space: 0B\n`);
  assert.equal(everyday.output('volume', 'prune', '-a', '-f'), 'Deleted Volumes:\nkept\nloose\nother\n\nTotal reclaimed space: 9B\n');
  assert.match(everyday.output('events', '--since', '10m', '--until', '0s', '--filter', 'type=volume', '--format', '{{.Action}} {{.Actor.ID}}'), /create loose\n[^]*destroy kept\ndestroy loose\ndestroy other\n$/);
  assert.equal(everyday.feed('n\n', 'volume', 'prune').status, 0);
});

test('a removal that was killed is finished, or taken back when somebody has the volume', { skip }, async () => {
  await using everyday = new Everyday();
  const folder = path.join(everyday.data, 'volumes');
  everyday.output('volume', 'create', 'half');
  everyday.output('run', '--name', 'one', '-v', 'held:/mnt', 'host', 'true');
  for (const name of ['half', 'held']) fs.renameSync(path.join(folder, name), path.join(folder, `.removed-${name}`));
  assert.equal(everyday.output('volume', 'ls', '-q'), '');
  everyday.output('volume', 'prune', '-f');
  assert.deepEqual(fs.readdirSync(folder), ['held']);
});

test('a container that is being made meanwhile has its volume, whatever happens first', { skip }, async () => {
  await using everyday = new Everyday();
  const places = { data: everyday.data, run: everyday.run };
  everyday.output('volume', 'create', 'wanted');
  const starting = everyday.start('run', '--rm', '-v', 'wanted:/mnt', 'host', 'sh', '-c', 'touch /mnt/x; sleep 1');
  const ended = new Promise((resolve) => starting.once('close', resolve));
  let removals = 0;
  for (; starting.exitCode === null; removals++) {
    await removeVolume(places, 'wanted').catch((error: { code: string }) => assert.ok(['volume-in-use', 'no-volume'].includes(error.code), String(error)));
    await sleep(1);
  }
  assert.equal(await ended, 0);
  assert.ok(removals > 10);
});

test('volumes of the library', { skip }, async (context) => {
  const store = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-volumes-'));
  after(() => fs.rmSync(store, { recursive: true, force: true }));
  const options = { image: 'host', store, mounts: [{ volume: 'data', target: '/mnt' }] } as const;
  await run({ ...options, command: ['sh', '-c', 'echo kept > /mnt/file'] });
  assert.equal((await run({ ...options, mounts: [{ volume: 'data', target: '/mnt', readonly: true }], command: ['sh', '-c', 'cat /mnt/file; touch /mnt/x 2>/dev/null || echo refused'] })).stdout.toString(), 'kept\nrefused\n');
  assert.deepEqual((await volumes.list({ store })).map(({ name, anonymous }) => ({ name, anonymous })), [{ name: 'data', anonymous: false }]);
  const { mountpoint, labels } = await volumes.create('more', { store, labels: { a: 'b' } });
  assert.deepEqual([mountpoint, labels], [path.join(store, 'volumes/more/_data'), { a: 'b' }]);
  await assert.rejects(volumes.inspect('nobody', { store }), { code: 'no-volume', message: 'there is no volume nobody' });
  await context.test('one that a container of it mounts is kept', async () => {
    await using container = await create({ ...options, id: `${marker}-volume`, command: ['sleep', '60'] });
    await assert.rejects(volumes.remove('data', { store }), { code: 'volume-in-use', message: `volume data is used by container ${container.id}: remove that first` });
  });
  await volumes.remove('data', { store });
  assert.deepEqual((await volumes.prune({ store })).map(({ name }) => name), []);
  assert.deepEqual((await volumes.prune({ store, all: true })).map(({ name }) => name), ['more']);
});
