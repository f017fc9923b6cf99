// The same bundle on our runtime, runc and crun: the container sees the same, and so does the host, or the table of
// explanations (explained.ts) says why not.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { marker } from '../support/marker.ts';
import { peers } from '../support/peers.ts';
import { skipUnless } from '../support/skip.ts';
import { cases } from './cases.ts';
import { explanations, type Explanation } from './explained.ts';
import { differences, observe, type Case } from './observe.ts';

const [ours, ...others] = peers;
const skip = skipUnless('root', 'busybox', 'cgroups', 'unshare');
const used = new Set<Explanation>();
let compared = 0;

after(removeLeftovers);

for (const peer of others) if (peer.skip) test(`beside ${peer.name}`, { skip: peer.skip }, () => {});

for (const row of cases) {
  test(row.name, { skip: skip || others.every((peer) => peer.skip) && 'neither runc nor crun is installed' }, async () => {
    const found = await unexplained(row);
    compared++;
    assert.deepEqual(found, []);
  });
}

/** What the container or its host saw differently under our runtime and a peer, and nobody has said why. */
async function unexplained(row: Case): Promise<object[]> {
  assert.ok(ours);
  const theirs = others.filter((peer) => !peer.skip);
  const [own = {}, ...views] = await Promise.all([ours, ...theirs].map((peer) => observe(peer, row)));
  const found = theirs.flatMap(({ name }, index) => differences(own, views[index] ?? {}).map((key) => ({ peer: name, key, delos: own[key], theirs: views[index]?.[key] })));
  return found.filter(({ peer, key }) => {
    const reasons = explanations.filter((one) => one.peer === peer && one.key.test(key) && (one.cases?.test(row.name) ?? true));
    for (const one of reasons) used.add(one);
    return reasons.length === 0;
  });
}

test('every explanation is still needed', (context) => {
  if (compared < cases.length || others.some((peer) => peer.skip)) return context.skip('not everything was compared');
  assert.deepEqual(explanations.filter((one) => !used.has(one) && !one.sometimes).map(({ peer, why }) => `${peer}: ${why}`), []);
});

/** crun leaves cgroups behind when it fails; and what holds the cgroups of a container is ours. */
function removeLeftovers(): void {
  for (const hierarchy of fs.readdirSync('/sys/fs/cgroup')) {
    const folder = path.join('/sys/fs/cgroup', hierarchy, marker);
    if (!fs.existsSync(folder)) continue;
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) fs.rmdirSync(path.join(folder, entry.name));
    fs.rmdirSync(folder);
  }
  fs.rmSync(`/run/${marker}`, { recursive: true, force: true });
}
