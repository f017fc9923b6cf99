/**
 * Debian's kernels as they are, each to a shell on the interpreter: minutes for each, so `./dev test` alone leaves this kind out
 * (`./dev test kernels` runs it). The first time they are fetched, 130 MB.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../tools/files.ts';
import { packageKernel, type KernelPackage } from '../../tools/vm/package-kernel.ts';
import { noBusybox, shellAndPowerOff, userland } from '../support/linux-guest.ts';

const cloud: KernelPackage = { name: 'linux-image-cloud-amd64' };
const kernels: readonly KernelPackage[] = [cloud, { name: 'linux-image-amd64' }, { name: 'linux-image-cloud-amd64', suite: 'bookworm-backports' }];

for (const kernel of kernels) {
  test(`${kernel.name}${kernel.suite === undefined ? '' : ` of ${kernel.suite}`} boots to a shell and powers off`, { skip: noBusybox }, async () => {
    const { end, text } = await shellAndPowerOff(new Uint8Array(readFileSync(packageKernel(kernel))));
    assert.deepEqual(end, { kind: 'power-off' }, text.slice(-4000));
  });
}

test('a panic is reported', { skip: noBusybox }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'delos-kernels-'));
  try {
    const initrd = join(folder, 'initrd');
    writeFileSync(initrd, userland());
    const append = 'console=ttyS0 quiet panic=-1 rdinit=/nothing root=/dev/nothing';
    const words = ['vm', 'run', '--engine', 'interpreter', '--kernel', packageKernel(cloud), '--initrd', initrd, '--append', append, '--no-reboot'];
    const { status, stderr, stdout } = spawnSync(join(root, 'delos'), words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 900_000 });
    assert.equal(status, 1, stdout.slice(-2000));
    assert.match(stderr, /the guest's kernel has panicked: VFS: Unable to mount root fs/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
