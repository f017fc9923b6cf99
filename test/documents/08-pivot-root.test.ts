/**
 * Number 8, references 2.10.8.a-g: pivot_root. What the document got wrong and is checked right here: its put_old is a directory
 * inside the new root, which fails on a read-only root and takes away a directory of the image with that name; pivot_root(".", ".")
 * needs none. It does not say that the parent mount must not be shared.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { AT_FDCWD } from '../../src/abi/fcntl.ts';
import { CLONE_NEWNS } from '../../src/abi/clone.ts';
import { MNT_DETACH, MS_BIND, MS_PRIVATE, MS_REC, MS_SHARED } from '../../src/abi/mount.ts';
import { encode } from '../../src/plan/encode.ts';
import { call, type Item } from '../../src/plan/step.ts';
import { spawned } from '../../src/runtime/place.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { marker } from '../support/marker.ts';
import { compileInto } from '../support/program.ts';
import { skipUnless } from '../support/skip.ts';
import { capable, noContainers, planned, printed } from './claims.ts';

/** Runs steps in a mount namespace of their own, by the executor that makes containers. Gives its exit code. */
function inOwnMounts(propagation: number, ...steps: readonly Item[]): Promise<number> {
  const items = [call('unshare', [CLONE_NEWNS], 'test'), call('mount', [0, '/', 0, propagation | MS_REC, 0], 'test'), ...steps, call('exit_group', [0], 'test')];
  return spawned.run(encode({ sections: [{ name: 'test', items }] }), 0);
}

function bind(folder: string): Item {
  return call('mount', [folder, folder, 0, MS_BIND | MS_REC, 0], 'test');
}

function pivotTo(folder: string): Item[] {
  return [call('chdir', [folder], 'test'), call('pivot_root', ['.', '.'], 'test'), call('umount2', ['.', MNT_DETACH], 'test'), call('chdir', ['/'], 'test')];
}

/** The escape that chroot(2) lets root do: a root below the working directory, and then up and up. */
const escape = `
#include <stdio.h>
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
	mkdir("/tmp/deeper", 0755);
	if (chroot("/tmp/deeper")) return perror("chroot"), 1;
	for (int i = 0; i < 64; i++) if (chdir("..")) return perror("chdir"), 1;
	if (chroot(".")) return perror("chroot ."), 1;
	DIR *root = opendir("/");
	for (struct dirent *entry; (entry = readdir(root));) if (entry->d_name[0] != '.') puts(entry->d_name);
	return 0;
}`;

test('test_pivot_root', { skip: noContainers }, async (context) => {
  await context.test('nothing of the old root is left, and the working directory is /', async () => {
    const [entries, cwd] = (await printed('ls -A / | tr "\\n" " "; echo; readlink /proc/1/cwd')).trimEnd().split('\n');
    assert.deepEqual([entries, cwd], ['bin dev etc proc root sys tmp ', '/']);
  });

  await context.test('exactly one mount is at /, and no other mount point is outside what config.json asks for', async () => {
    const points = (await printed('cut -d " " -f 5 /proc/1/mountinfo')).trimEnd().split('\n');
    assert.equal(points.filter((point) => point === '/').length, 1);
    assert.deepEqual(points.filter((point) => !/^\/($|proc|sys|dev)/.test(point)), []);
  });

  await context.test('the plan: into the new root, pivot_root onto itself, the old root detached, then /', () => {
    const steps = planned((config) => config);
    const at = steps.findIndex(({ call }) => call === 'pivot_root');
    assert.deepEqual(steps.slice(at - 1, at + 3).map(({ call, arguments: words }) => [call, ...Object.values(words)].join(' ')), [
      'fchdir <root>', 'pivot_root "." "."', 'umount2 "." MNT_DETACH', 'chdir "/"',
    ]);
    assert.deepEqual(steps.filter(({ call, arguments: words }) => call === 'mkdirat' && /old/.test(Object.values(words).join(' '))), []);
  });

  await context.test('EINVAL when the new root is no mount point or its parent is shared, EBUSY when it is the old root\'s mount; else it works', async () => {
    // The executor stays open once it was used.
    assert.equal(await inOwnMounts(MS_PRIVATE), 0);
    const before = leaks();
    const folder = fs.mkdtempSync(`/tmp/${marker}-`);
    const inner = path.join(folder, 'inner');
    fs.mkdirSync(inner);
    await assert.rejects(inOwnMounts(MS_PRIVATE, bind(folder), ...pivotTo(inner)), { code: 'kernel-refused', message: /pivot_root.*EINVAL/ });
    await assert.rejects(inOwnMounts(MS_SHARED, bind(folder), ...pivotTo(folder)), { code: 'kernel-refused', message: /pivot_root.*EINVAL/ });
    await assert.rejects(inOwnMounts(MS_PRIVATE, ...pivotTo('/')), { code: 'kernel-refused', message: /pivot_root.*EBUSY/ });
    assert.equal(await inOwnMounts(MS_PRIVATE, bind(folder), ...pivotTo(folder), call('mkdirat', [AT_FDCWD, '/made-in-the-new-root', 0o755], 'test')), 0);
    assert.deepEqual(fs.readdirSync(folder).toSorted(), ['inner', 'made-in-the-new-root']);
    fs.rmSync(folder, { recursive: true });
    await assertNoLeaks(before);
  });

  await context.test('the escape from a chroot ends in the container\'s own root', { skip: skipUnless('gcc') }, async () => {
    const output = await printed('/escape', capable('CAP_SYS_CHROOT'), { image: (_rootfs, bundle) => compileInto(bundle, 'escape', escape) });
    assert.deepEqual(output.trimEnd().split('\n').toSorted(), ['bin', 'dev', 'escape', 'etc', 'proc', 'root', 'sys', 'tmp']);
  });

  await context.test('a directory of the image called put_old is kept, and a read-only root is no obstacle', async () => {
    const image = (rootfs: string): void => { for (const name of ['put_old', '.pivot_root', 'oldroot']) fs.mkdirSync(path.join(rootfs, name)); };
    assert.equal(await printed('ls -d /put_old /.pivot_root /oldroot', (config) => ({ ...config, root: { ...config.root, readonly: true } }), { image }), '/.pivot_root\n/oldroot\n/put_old\n');
  });
});
