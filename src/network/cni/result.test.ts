import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readResult } from './result.ts';

test('what the result of ADD says', () => {
  assert.deepEqual(readResult({
    interfaces: [{ name: 'lab0', mac: '02:00:00:00:00:01' }, { name: 'eth0', mac: '02:00:00:00:00:02', sandbox: '/run/netns/x' }],
    ips: [{ address: '10.77.0.9/24', gateway: '10.77.0.1', interface: 1 }, { address: 'fd77::9/64' }],
    dns: { nameservers: ['10.77.0.53'], domain: 'lab.test', options: ['ndots:2'] },
  }), {
    four: '10.77.0.9', six: 'fd77::9', gateways: ['10.77.0.1'], mac: '02:00:00:00:00:02', servers: ['10.77.0.53'], search: ['lab.test'], options: ['ndots:2'],
  });
});

test('what is none of it is passed over', () => {
  const nothing = { gateways: [], servers: [], search: [], options: [] };
  assert.deepEqual(readResult({}), nothing);
  assert.deepEqual(readResult({ ips: [7, { address: 'x' }, { address: 12 }, { address: '1.2.3.4/99' }], interfaces: 'eth0', dns: [] }), nothing);
  assert.deepEqual(readResult({ ips: [{ address: 7, gateway: 'x' }], dns: { nameservers: ['a', 5], search: ['a b', 'c\nnameserver 1.2.3.4'], options: [''] } }), nothing);
});
