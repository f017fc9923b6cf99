import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkNetworkRights, chooseNetwork, networkWish } from './network.ts';
import { parseRun } from './testing/surroundings.ts';

test('what a container asks of its network', () => {
  assert.equal(networkWish(parseRun('run i'), []), undefined);
  assert.equal(networkWish(parseRun('run --network container:web i'), []), undefined);
  assert.deepEqual(networkWish(parseRun('run --network bridge i'), ['80/tcp']), {
    network: 'bridge', hostname: '0123456789ab', aliases: [], ports: [], hosts: [], servers: [], search: [], options: [],
  });
  assert.deepEqual(networkWish(parseRun('run --net back -h box -p 53:53/udp -P --expose 81 --network-alias db --ip 10.5.0.9 --add-host up:host-gateway --dns 9.9.9.9 --dns-search . i'), ['80/tcp']), {
    network: 'back', hostname: 'box', aliases: ['db'], four: '10.5.0.9', hosts: [{ name: 'up', address: 'host-gateway' }], servers: ['9.9.9.9'], search: ['.'], options: [],
    ports: [{ protocol: 'udp', hostPort: 53, containerPort: 53 }, { protocol: 'tcp', hostPort: 0, containerPort: 80 }, { protocol: 'tcp', hostPort: 0, containerPort: 81 }],
  });
});

test('what it cannot ask', () => {
  for (const flags of ['-p 80', '--ip 10.0.0.1', '--network-alias a --network host', '--network bridge -p x', '--network bridge --add-host x']) {
    assert.throws(() => networkWish(parseRun(`run ${flags} i`), []), { code: 'bad-usage', message: /^[^\n]+$/ }, flags);
  }
  assert.throws(() => checkNetworkRights(networkWish(parseRun('run --network bridge i'), []), 1000), { code: 'unsupported' });
});

test('the network of who asks for none, and what an ordinary user gets for a bridge', () => {
  const root = { uid: 0, userModes: [] };
  assert.equal(chooseNetwork({ ...root, asked: undefined, pulled: true }), 'bridge');
  assert.equal(chooseNetwork({ ...root, asked: undefined, pulled: false }), 'none');
  assert.equal(chooseNetwork({ ...root, asked: 'pasta', pulled: true }), 'pasta');
  const user = { uid: 1000, userModes: ['pasta', 'slirp4netns'] as const };
  assert.equal(chooseNetwork({ ...user, asked: undefined, pulled: true }), 'pasta');
  assert.equal(chooseNetwork({ ...user, asked: undefined, pulled: false }), 'none');
  assert.equal(chooseNetwork({ ...user, asked: 'bridge', pulled: false }), 'pasta');
  assert.equal(chooseNetwork({ ...user, asked: 'slirp4netns', pulled: true }), 'slirp4netns');
  assert.equal(chooseNetwork({ uid: 1000, userModes: [], asked: undefined, pulled: true }), 'none');
  assert.equal(chooseNetwork({ uid: 1000, userModes: [], asked: 'bridge', pulled: true }), 'bridge');
});

test('what the network of an ordinary user has not', () => {
  checkNetworkRights(networkWish(parseRun('run --network pasta -p 8080:80 i'), []), 1000);
  for (const flags of ['--ip 10.0.0.2', '--mac-address 02:00:00:00:00:01', '--network-alias db']) {
    const wish = networkWish(parseRun(`run --network slirp4netns ${flags} i`), []);
    assert.throws(() => checkNetworkRights(wish, 1000), { code: 'bad-usage', message: /^[^\n]+$/ }, flags);
    checkNetworkRights(wish, 0);
  }
});
