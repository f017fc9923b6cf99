import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePublish } from './publish-flag.ts';

test('--publish: ports of the host and of the container, one by one and in ranges', () => {
  const tcp = (hostPort: number, containerPort: number, hostAddress?: string) => ({ protocol: 'tcp', ...(hostAddress !== undefined && { hostAddress }), hostPort, containerPort });
  assert.deepEqual(parsePublish('80'), [tcp(0, 80)]);
  assert.deepEqual(parsePublish('8080:80'), [tcp(8080, 80)]);
  assert.deepEqual(parsePublish('127.0.0.1:8080:80/tcp'), [tcp(8080, 80, '127.0.0.1')]);
  assert.deepEqual(parsePublish('127.0.0.1::80'), [tcp(0, 80, '127.0.0.1')]);
  assert.deepEqual(parsePublish('[::1]:53:53/UDP'), [{ protocol: 'udp', hostAddress: '::1', hostPort: 53, containerPort: 53 }]);
  assert.deepEqual(parsePublish('8000-8002:80-82'), [tcp(8000, 80), tcp(8001, 81), tcp(8002, 82)]);
});

test('--publish: what cannot be meant is refused in one line', () => {
  for (const text of ['', ':', '0', '65536', '80:', 'a:80', '1:2:3:4', '80/sctp', '80-79', '1-2:3-5', '::1:80:80', '80:-1']) {
    assert.throws(() => parsePublish(text), { code: 'bad-usage', message: `invalid --publish '${text}': expected [[ADDRESS:]HOST_PORT[-END]:]PORT[-END][/tcp|udp]` }, text);
  }
});
