/**
 * Number 18, references 2.10.18.a-g: reading, having, clearing and raising capabilities; the eleven a container needs. What the
 * document got wrong and is checked right here: it lets permitted ones be raised; clearing permitted leaves effective; the inheritable
 * set is not empty (CVE-2022-24769).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EPERM } from '../../src/abi/errno.ts';
import { makeBundle, script } from '../support/bundle.ts';
import { launch } from '../support/container.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { compileInto } from '../support/program.ts';
import { skipUnless } from '../support/skip.ts';
import { capable, noContainers, printed, refusal, statusLine, withCapabilities } from './claims.ts';

const minimal = [
  'CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FSETID', 'CAP_FOWNER', 'CAP_SETGID', 'CAP_SETUID', 'CAP_SETPCAP', 'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT', 'CAP_KILL', 'CAP_AUDIT_WRITE',
];

/** The sets of capget(2), then attempts: effective without permitted, permitted beyond itself, and CHOWN cleared from both. */
const source = `
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
static struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
static struct __user_cap_data_struct data[2];
static void tell(const char *what) {
	syscall(SYS_capget, &header, data);
	printf("%s %x %x\\n", what, data[0].effective, data[0].permitted);
}
static void attempt(const char *what, unsigned effective, unsigned permitted) {
	data[0].effective = effective, data[0].permitted = permitted;
	printf("%s %d\\n", what, syscall(SYS_capset, &header, data) ? errno : 0);
}
int main(void) {
	tell("at first");
	unsigned admin = 1 << CAP_SYS_ADMIN, chown = 1 << CAP_CHOWN, effective = data[0].effective, permitted = data[0].permitted;
	attempt("raise effective", effective | admin, permitted);
	attempt("raise permitted", effective, permitted | admin);
	attempt("clear permitted alone", effective, permitted & ~chown);
	attempt("clear effective", effective & ~chown, permitted);
	attempt("raise it again", effective, permitted);
	attempt("clear both", effective & ~chown, permitted & ~chown);
	attempt("raise what is gone", effective, permitted);
	tell("at last");
	return 0;
}`;

test('test_caps_management', { skip: noContainers || skipUnless('gcc') }, async (context) => {
  await context.test('the eleven of a container are 0x200405fb, and nothing is inheritable or ambient', async () => {
    assert.equal(minimal.length, 11);
    const status = await printed('cat /proc/self/status', capable(...minimal));
    const masks = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((set) => statusLine(status, set));
    assert.deepEqual(masks, ['0000000000000000', '00000000200405fb', '00000000200405fb', '00000000200405fb', '0000000000000000']);
  });

  await context.test('with them mount, mknod and raw sockets fail, and chown, chroot and setuid work', async () => {
    const text = [
      'mount -t tmpfs x /tmp 2>/dev/null || echo no mount', 'mknod /tmp/null c 1 3 2>/dev/null || echo no mknod', 'ping -c 1 -W 1 127.0.0.1 >/dev/null 2>&1 || echo no raw socket',
      'touch /tmp/file; chown 7:7 /tmp/file && echo chown', 'chroot / true && echo chroot', 'setpriv --reuid=7 true 2>/dev/null || su -s /bin/sh user -c true; echo setuid $?',
    ].join('; ');
    assert.equal(await printed(text, capable(...minimal)), 'no mount\nno mknod\nno raw socket\nchown\nchroot\nsetuid 0\n');
  });

  await context.test('effective needs permitted, permitted only shrinks, clearing permitted has to clear effective', async () => {
    const output = await printed('/caps', capable(...minimal), { image: (_rootfs, bundle) => compileInto(bundle, 'caps', source) });
    assert.deepEqual(output.trimEnd().split('\n'), [
      'at first 200405fb 200405fb', `raise effective ${EPERM}`, `raise permitted ${EPERM}`, `clear permitted alone ${EPERM}`, 'clear effective 0', 'raise it again 0',
      'clear both 0', `raise what is gone ${EPERM}`, 'at last 200405fa 200405fa',
    ]);
  });

  await context.test('a configuration that has effective beyond permitted is refused by the kernel, and the field is named', async () => {
    assert.match(await refusal(withCapabilities({ bounding: minimal, permitted: ['CAP_CHOWN'], effective: ['CAP_CHOWN', 'CAP_KILL'] })), /^process\.capabilities: capset\(.*\): EPERM/);
  });

  await context.test('exec adds what it is asked for, to its own process alone', async () => {
    const before = leaks();
    {
      using bundle = makeBundle(script('exec sleep 60', capable(...minimal)));
      using container = launch(bundle);
      const effective = (flags: readonly string[]): string => statusLine(container.exec(flags, ['cat', '/proc/self/status']).stdout, 'CapEff');
      assert.equal(effective([]), '00000000200405fb');
      assert.equal(effective(['--cap', 'CAP_SYS_TIME']), '00000000220405fb');
      assert.equal(statusLine(container.exec([], ['cat', '/proc/1/status']).stdout, 'CapEff'), '00000000200405fb');
    }
    await assertNoLeaks(before);
  });
});
