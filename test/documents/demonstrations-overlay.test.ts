/**
 * The documents' demonstrations of overlayfs, run: S3 exercises 4.1, the script, in a container, and 4.2, the mount, as the root of one.
 * What they got wrong and is done right here: they mount on the host and leave it there when a step fails; a colon in a path would
 * split a layer; nobody looks at what a deletion leaves. Layers of images come with images: docs/reference/coverage.md.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { runContainer } from '../../src/runtime/create.ts';
import { executorFd } from '../../src/sys/memfd.ts';
import { makeBundle, script, type TestConfig } from '../support/bundle.ts';
import { storeRoot } from '../support/delos.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { newId } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';
import { capable, changes, noContainers, printed } from './claims.ts';

const noOverlay = noContainers || skipUnless('root') || (/\toverlay$/m.test(fs.readFileSync('/proc/filesystems', 'utf8')) ? false : 'this kernel has no overlay filesystem loaded');

test('S3 exercise 4.1: lower, upper and merged, step by step', { skip: noOverlay }, async () => {
  const steps = `set -e
mkdir -p /tmp/overlay/lower /tmp/overlay/upper /tmp/overlay/work /tmp/overlay/merged
echo "Base file content" > /tmp/overlay/lower/file.txt
mkdir /tmp/overlay/lower/dir
echo "Dir content" > /tmp/overlay/lower/dir/nested.txt
mount -t overlay overlay -o lowerdir=/tmp/overlay/lower,upperdir=/tmp/overlay/upper,workdir=/tmp/overlay/work /tmp/overlay/merged
cd /tmp/overlay
find merged -type f | sort
echo "Modified" >> merged/file.txt
echo == upper; cat upper/file.txt
echo == lower; cat lower/file.txt
rm merged/dir/nested.txt
echo == whiteout; stat -c "%F %t:%T" upper/dir/nested.txt; cat lower/dir/nested.txt
cd /; umount /tmp/overlay/merged; rm -rf /tmp/overlay; ls /tmp`;
  const onTmpfs = (config: TestConfig): TestConfig => ({ ...config, mounts: [...config.mounts, { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' }] });
  assert.equal(await printed(steps, changes(capable('CAP_SYS_ADMIN', 'CAP_DAC_OVERRIDE', 'CAP_MKNOD'), onTmpfs)), [
    'merged/dir/nested.txt', 'merged/file.txt', '== upper', 'Base file content', 'Modified', '== lower', 'Base file content', '== whiteout',
    'character special file 0:0', 'Dir content', '',
  ].join('\n'));
});

test('S3 exercise 4.2: a root that is an overlay, seen by its container alone', { skip: noOverlay }, async () => {
  // Stays open once it was used.
  executorFd();
  const before = leaks();
  {
    using bundle = makeBundle(script('set -e; grep -q "Hello from lower layer" /hello.txt; echo "and from the container" >> /hello.txt; rm /etc/group; grep " / / " /proc/self/mountinfo > /root/mount'));
    const layer = path.join(bundle.path, 'with:colon');
    for (const folder of ['upper', 'work']) fs.mkdirSync(path.join(layer, folder), { recursive: true });
    fs.writeFileSync(path.join(bundle.rootfs, 'hello.txt'), 'Hello from lower layer\n');
    const status = await runContainer({
      root: storeRoot, systemdCgroup: false, id: newId(), bundle: bundle.path, preserveFds: 0, noPivot: false, noNewKeyring: false, detach: false, keep: false,
      overlay: { lowers: [bundle.rootfs], layer },
    });
    assert.equal(status, 0);
    const upper = path.join(layer, 'upper');
    assert.equal(fs.readFileSync(path.join(bundle.rootfs, 'hello.txt'), 'utf8'), 'Hello from lower layer\n');
    assert.equal(fs.readFileSync(path.join(upper, 'hello.txt'), 'utf8'), 'Hello from lower layer\nand from the container\n');
    const gone = fs.statSync(path.join(upper, 'etc/group'));
    assert.deepEqual([gone.isCharacterDevice(), gone.rdev], [true, 0]);
    assert.ok(fs.existsSync(path.join(bundle.rootfs, 'etc/group')));
    assert.match(fs.readFileSync(path.join(upper, 'root/mount'), 'utf8'), / - overlay overlay /);
  }
  await assertNoLeaks(before);
});
