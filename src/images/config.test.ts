import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../registry/digest.ts';
import { checkPlatform, parseImageConfig, type ImageConfig } from './config.ts';

const rootfs = { type: 'layers', diff_ids: [digestOf('a'), digestOf('b')] };
const parse = (json: object): ImageConfig => parseImageConfig(Buffer.from(JSON.stringify(json)), 'the configuration');

test('all that an image can say', () => {
  const config = parse({
    architecture: 'arm', variant: 'v7', os: 'linux', created: '2020-01-01T00:00:00Z', author: 'me', rootfs, config: {
      Entrypoint: ['/bin/a', '-x'], Cmd: ['b'], Env: ['PATH=/bin', 'EMPTY=', 'X=a=b'], User: '1000:docker', WorkingDir: '/w',
      Volumes: { '/data': {}, '/more': {} },
      ExposedPorts: { '80/tcp': {}, 53: {}, '5000-5005/udp': {} }, StopSignal: 'SIGQUIT', Labels: { a: 'b', __proto__x: 'c' }, Shell: ['/bin/bash', '-c'],
      OnBuild: ['RUN x'],
      Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 30_000_000_000, Timeout: 1, StartPeriod: 0, Retries: 3 }, ArgsEscaped: true, Image: '',
      Unknown: { x: 1 },
    },
    history: [{ created: '2020', created_by: 'ADD x', comment: 'c' }, { empty_layer: true, author: 'a' }],
  });
  assert.deepEqual(config, {
    platform: { os: 'linux', architecture: 'arm', variant: 'v7' }, created: '2020-01-01T00:00:00Z', author: 'me', diffIds: rootfs.diff_ids,
    defaults: {
      entrypoint: ['/bin/a', '-x'], cmd: ['b'], env: ['PATH=/bin', 'EMPTY=', 'X=a=b'], user: '1000:docker', workingDir: '/w', volumes: ['/data', '/more'],
      exposedPorts: ['53/tcp', '80/tcp', '5000-5005/udp'], stopSignal: 'SIGQUIT', labels: { a: 'b', __proto__x: 'c' }, shell: ['/bin/bash', '-c'],
      onBuild: ['RUN x'],
      healthcheck: { test: ['CMD-SHELL', 'true'], interval: 30_000_000_000, timeout: 1, startPeriod: 0, retries: 3 },
    },
    history: [{ created: '2020', createdBy: 'ADD x', comment: 'c', emptyLayer: false }, { author: 'a', emptyLayer: true }],
  });
});

test('an image that says nothing; null is nothing', () => {
  const nothing = { env: [], user: '', workingDir: '', volumes: [], exposedPorts: [], labels: {}, onBuild: [] };
  for (const config of [
    undefined, null, {}, { Entrypoint: null, Cmd: null, Env: null, Volumes: null, Labels: null, Healthcheck: null, StopSignal: '', User: null },
  ]) {
    assert.deepEqual(parse({ rootfs, config }).defaults, nothing);
  }
});

test('what does not fit is refused, with its place', () => {
  for (const [config, at] of [
    [{ Entrypoint: 'sh' }, '/config/Entrypoint'], [{ Cmd: [1] }, '/config/Cmd/0'], [{ Cmd: ['a\0b'] }, '/config/Cmd/0'], [{ Env: ['=x'] }, '/config/Env/0'],
    [{ Env: [''] }, '/config/Env/0'],
    [{ User: 5 }, '/config/User'], [{ WorkingDir: 'a\0' }, '/config/WorkingDir'], [{ Volumes: { data: {} } }, '/config/Volumes/data'],
    [{ Volumes: [] }, '/config/Volumes'],
    [{ ExposedPorts: { '70000/tcp': {} } }, '/config/ExposedPorts/70000/tcp'], [{ ExposedPorts: { '80/icmp': {} } }, '/config/ExposedPorts/80/icmp'],
    [{ StopSignal: 'SIG KILL' }, '/config/StopSignal'], [{ Labels: { a: 1 } }, '/config/Labels/a'],
    [{ Healthcheck: { Interval: -1 } }, '/config/Healthcheck/Interval'],
    [{ Healthcheck: { Test: 'true' } }, '/config/Healthcheck/Test'], [[], '/config'],
  ] as const) {
    assert.throws(() => parse({ rootfs, config }), { code: 'bad-image', message: new RegExp(`^the configuration: ${at}: expected `) }, JSON.stringify(config));
  }
  assert.throws(() => parse({ rootfs: { type: 'other', diff_ids: [] } }), { message: /rootfs\/type: expected "layers"/ });
  assert.throws(() => parse({ rootfs: { type: 'layers', diff_ids: ['x'] } }), { message: /diff_ids\/0: expected a sha256 digest/ });
  assert.throws(() => parse({}), { code: 'bad-image' });
});

test('another platform', () => {
  const host = { os: 'linux', architecture: 'amd64' };
  checkPlatform(parse({ rootfs, ...host }), host, 'it');
  checkPlatform(parse({ rootfs }), host, 'it');
  assert.throws(
    () => checkPlatform(parse({ rootfs, os: 'linux', architecture: 'arm64' }), host, 'it'),
    { code: 'bad-image', message: 'it was made for linux/arm64, not for linux/amd64' },
  );
});
