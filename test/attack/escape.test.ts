/**
 * What a program inside tries by itself: to leave by the old root that pivot_root(2) stacked below the new one, by the classic
 * chroot(2) walk, by kernel keys and messages of the host, by files of /proc that change the host, by what mountinfo tells of it.
 * Defence: the old root is detached before anything of the image runs (`pivot` in src/oci/rootfs.ts), so that `/` has nothing
 * above it; a session keyring of its own (src/oci/session.ts); read-only and masked files (src/oci/hidden-paths.ts).
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { makeBundle, script } from '../support/bundle.ts';
import { privileged } from '../support/capability.ts';
import { attempt } from '../support/container.ts';
import { runDelos } from '../support/delos.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { newId } from '../support/marker.ts';
import { compileInto } from '../support/program.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups', 'gcc');

/** chroot(2) below the working directory, then up and up; and umount(2) of `/`, in case the host's root is below. */
const walker = `
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
static void list(const char *how) {
	DIR *folder = opendir(".");
	printf("%s:", how);
	for (struct dirent *entry; folder && (entry = readdir(folder));)
		if (entry->d_name[0] == 'c' && entry->d_name[1] == 'a') printf(" %s", entry->d_name);
	printf("\\n");
}
int main(void) {
	mkdir("/jail", 0755);
	int top = open("/", O_RDONLY | O_DIRECTORY);
	if (chroot("/jail")) return 1;
	fchdir(top);
	for (int i = 0; i < 64; i++) chdir("..");
	chroot(".");
	list("walked");
	for (int i = 0; i < 4; i++) umount2("/", MNT_DETACH);
	fchdir(top);
	for (int i = 0; i < 64; i++) chdir("..");
	list("unmounted");
	return 0;
}`;

test('no way leads up from the root, by chroot or by umount', { skip }, async () => {
  const before = leaks();
  {
    using bundle = makeBundle((config) => privileged({ ...config, process: { ...config.process, args: ['/walker'] } }));
    compileInto(bundle, 'walker', walker);
    fs.writeFileSync(`${bundle.rootfs}/canary-inside`, '');
    fs.writeFileSync(`${bundle.path}/canary-outside`, '');
    for (const flags of [[], ['--no-pivot']]) {
      const { status, stdout } = runDelos(['run', ...flags, newId()], { bundle });
      assert.equal(status, 0);
      assert.match(stdout, /^walked: canary-inside\n/);
      assert.doesNotMatch(stdout, /outside/);
    }
  }
  await assertNoLeaks(before);
});

test('mountinfo names nothing of the host but where the root lies', { skip }, async () => {
  const { stdout } = await attempt({ config: script('cat /proc/self/mountinfo') });
  const lines = stdout.trimEnd().split('\n').map((line) => line.split(' '));
  assert.ok(lines.length > 10);
  const host = new Set(fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n').map((line) => line.split(' ')[4]));
  for (const [, , , root = '', point = ''] of lines.slice(1)) {
    // The cgroup directories are those of its own namespace.
    assert.match(root, /^\/(?:null|bus|fs|irq|sys|sysrq-trigger)?$/, `${root} on ${point}`);
    if (point.startsWith('/sys/fs/cgroup')) continue;
    assert.ok(!host.has(point) || ['/proc', '/sys', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue'].includes(point), point);
  }
});

test('no mount of the container propagates to the host', { skip }, async () => {
  const { stdout } = await attempt({ config: script('grep -c shared: /proc/self/mountinfo; mount -t tmpfs tmpfs /tmp && mount --make-rshared / && mount -t tmpfs tmpfs /tmp && echo mounted', privileged) });
  assert.equal(stdout, '0\nmounted\n');
});

/** `keys COMMAND...` runs a command with a key in its session keyring; `keys` looks for that key. keyctl(1) is rarely installed. */
const keys = `
#define _GNU_SOURCE
#include <linux/keyctl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) {
	if (argc == 1) return printf("%s\\n", syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "canary", 0) < 0 ? "none" : "FOUND") < 0;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
	    syscall(SYS_add_key, "user", "canary", "secret", 6, KEY_SPEC_SESSION_KEYRING) < 0) return 1;
	execv(argv[1], argv + 1);
	return 1;
}`;

test('the caller\'s keys are not the container\'s', { skip }, async () => {
  const before = leaks();
  {
    using bundle = makeBundle((config) => ({ ...config, process: { ...config.process, args: ['/keys'] } }));
    compileInto(bundle, 'keys', keys);
    const through = [`${bundle.rootfs}/keys`];
    assert.equal(runDelos(['run', newId()], { bundle, through }).stdout, 'none\n');
    assert.equal(runDelos(['run', '--no-new-keyring', newId()], { bundle, through }).stdout, 'FOUND\n', 'asked for, the keyring is shared');
  }
  await assertNoLeaks(before);
});

test('what would change the host is read-only for root', { skip }, async () => {
  const files = ['/proc/sys/kernel/hostname', '/proc/sys/kernel/core_pattern', '/proc/sys/fs/file-max', '/sys/kernel/mm/transparent_hugepage/enabled', '/sys/fs/cgroup/memory/release_agent', '/sys/fs/cgroup/pids/pids.max', '/sys/fs/cgroup/cgroup.procs'];
  const values = files.map((file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''));
  const { stdout } = await attempt({ config: script(`for f in ${files.join(' ')}; do (echo 1 > $f) 2>/dev/null && echo WRITTEN $f; done; mount -o remount,rw /proc/sys 2>/dev/null && echo REMOUNTED; echo end`) });
  assert.equal(stdout, 'end\n');
  assert.deepEqual(files.map((file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '')), values);
});
