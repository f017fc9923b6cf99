/**
 * Number 7, references 2.10.7.a-h: mounts of a container stay in it; bind mounts; the flags' values; /proc, /sys, /dev, /dev/pts and
 * /dev/shm as special-mounts-order has them. What the documents got wrong and is checked right here: they make "/" private and mount
 * /proc wherever they are called, which changes the host; they follow `proc -> /` out of the root; mknod under the umask gives
 * devices 0644; devpts is without gid=5.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_REC, MS_STRICTATIME } from '../../src/abi/mount.ts';
import { makeBundle, script, type TestConfig } from '../support/bundle.ts';
import { attempt } from '../support/container.ts';
import { runtime, storeRoot } from '../support/delos.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { marker, newId } from '../support/marker.ts';
import { capable, noContainers, planned, printed, refusal } from './claims.ts';

/** A line of mountinfo: where, the mount's own options, propagation, type, the filesystem's options. proc_pid_mountinfo(5) */
interface Mounted {
  readonly point: string;
  readonly options: string;
  readonly propagation: string;
  readonly type: string;
  readonly data: string;
}

function parsed(mountinfo: string): Mounted[] {
  return mountinfo.trimEnd().split('\n').map((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , , point = '', options = '', ...propagation] = before.split(' ');
    const [type = '', , data = ''] = after.split(' ');
    return { point, options, propagation: propagation.join(' '), type, data };
  });
}

test('test_mount_namespace', { skip: noContainers }, async (context) => {
  await context.test('flags have the values of <linux/mount.h>', () => {
    assert.deepEqual(
      { MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE, MS_STRICTATIME },
      { MS_RDONLY: 1, MS_NOSUID: 2, MS_NODEV: 4, MS_NOEXEC: 8, MS_BIND: 0x1000, MS_REC: 0x4000, MS_PRIVATE: 0x40000, MS_STRICTATIME: 0x1000000 },
    );
  });

  await context.test('"/" is made private in the container only, and a container without a mount namespace is refused', async () => {
    const steps = planned((config) => config);
    const [propagation = -1, clone = -1] = [steps.findIndex(({ call }) => call === 'mount'), steps.findIndex(({ call }) => call === 'clone3')];
    assert.ok(clone >= 0 && clone < propagation);
    assert.deepEqual(steps.filter(({ section, call }) => section === 'runtime' && /mount/.test(call)), []);
    const message = await refusal((config) => ({ ...config, linux: { ...config.linux, namespaces: config.linux.namespaces.filter(({ type }) => type !== 'mount') } }));
    assert.match(message, /^linux\.namespaces: expected a namespace of type mount/);
  });

  await context.test('what a container mounts is not seen on the host, even where the host\'s mounts are shared', async () => {
    const before = leaks();
    {
      using bundle = makeBundle(script('mount -t tmpfs inside /tmp && cat /proc/self/mountinfo', capable('CAP_SYS_ADMIN')));
      const command = [...runtime, '--root', storeRoot, 'run', '--bundle', bundle.path, newId()];
      // A host of its own, since whether this one's mounts are shared is nobody's to change.
      const host = 'mount --make-rshared / && "$@" && echo === && cat /proc/self/mountinfo';
      const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', host, 'sh', ...command], { encoding: 'utf8', env: { ...process.env, DELOS_TEST: marker } });
      assert.equal(status, 0, stderr);
      const [inside = [], outside = []] = stdout.split('===\n').map(parsed);
      assert.equal(inside.at(-1)?.point, '/tmp');
      assert.deepEqual(inside.filter(({ propagation }) => propagation.includes('shared:')), []);
      assert.ok(outside.every(({ propagation }) => propagation.includes('shared:')));
      assert.deepEqual(outside.filter(({ point }) => point.includes(bundle.path)), []);
    }
    await assertNoLeaks(before);
  });

  await context.test('a bind mount shows the host\'s folder itself', async () => {
    const before = leaks();
    {
      const folder = fs.mkdtempSync(`/tmp/${marker}-`);
      fs.writeFileSync(path.join(folder, 'file'), 'of the host\n');
      const mounts = (config: TestConfig): TestConfig => ({ ...config, mounts: [...config.mounts, { destination: '/mnt', source: folder, type: 'bind', options: ['rbind', 'rw'] }] });
      assert.equal(await printed('cat /mnt/file; stat -c %i /mnt/file; echo back > /mnt/answer', mounts), `of the host\n${fs.statSync(path.join(folder, 'file')).ino}\n`);
      assert.equal(fs.readFileSync(path.join(folder, 'answer'), 'utf8'), 'back\n');
      const readOnly = (config: TestConfig): TestConfig => ({ ...config, mounts: [...config.mounts, { destination: '/mnt', source: folder, type: 'bind', options: ['bind', 'ro'] }] });
      assert.match((await attempt({ config: script('touch /mnt/file', readOnly) })).stderr, /Read-only file system/);
      fs.rmSync(folder, { recursive: true });
    }
    await assertNoLeaks(before);
  });

  await context.test('the special filesystems: their order, options and devices', async () => {
    const names = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];
    const text = [
      'cat /proc/self/mountinfo', 'echo ===',
      `stat -c "%n %t:%T %a" ${names.map((name) => `/dev/${name}`).join(' ')}`, 'stat -c "%n %a" /dev/shm', 'readlink /dev/ptmx', 'echo ===',
      'touch /sys/x; echo > /dev/full; dd if=/dev/zero of=/dev/shm/x bs=1M count=65; df -m /dev | tail -n 1; ls /dev/pts',
    ].join('; ');
    // As the documents have it: what runc writes has no options for /proc.
    const asAsked = (config: TestConfig): TestConfig => ({
      ...config, mounts: config.mounts.map((mount) => (mount.destination === '/proc' ? { ...mount, options: ['nosuid', 'noexec', 'nodev'] } : mount)),
    });
    const { stdout, stderr } = await attempt({ config: script(text, asAsked), options: { env: {} } });
    const [mountinfo = '', devices = '', rest = ''] = stdout.split('===\n');
    const mounts = parsed(mountinfo);
    const found = (point: string): Mounted => mounts.find((mount) => mount.point === point) ?? assert.fail(point);
    assert.deepEqual(mounts.map(({ point }) => point).filter((point) => ['/proc', '/sys', '/dev', '/dev/pts', '/dev/shm'].includes(point)), ['/proc', '/dev', '/dev/pts', '/dev/shm', '/sys']);
    assert.equal(found('/proc').type, 'proc');
    assert.match(found('/proc').options, /^rw,nosuid,nodev,noexec/);
    assert.match(found('/sys').options, /^ro,nosuid,nodev,noexec/);
    assert.match(`${found('/dev').options} ${found('/dev').data}`, /^rw,nosuid rw,size=65536k,mode=755/);
    assert.match(`${found('/dev/pts').options} ${found('/dev/pts').data}`, /^rw,nosuid,noexec,relatime rw,gid=5,mode=620,ptmxmode=666/);
    assert.match(`${found('/dev/shm').options} ${found('/dev/shm').data}`, /^rw,nosuid,nodev,noexec,relatime rw,size=65536k/);
    assert.deepEqual(devices.trimEnd().split('\n'), [
      '/dev/null 1:3 666', '/dev/zero 1:5 666', '/dev/full 1:7 666', '/dev/random 1:8 666', '/dev/urandom 1:9 666', '/dev/tty 5:0 666',
      '/dev/shm 1777', 'pts/ptmx',
    ]);
    assert.match(stderr, /\/sys\/x: Read-only file system/);
    assert.match(stderr, /write error: No space left on device|\/dev\/full/);
    assert.match(stderr, /dd: error writing '\/dev\/shm\/x': No space left on device/);
    assert.match(rest, / 64 /);
    assert.match(rest, /\nptmx\n$/);
  });

  await context.test('a link in the image leads nowhere but into the image', async () => {
    const { status, stdout } = await attempt({
      config: script('cat /proc/self/mountinfo; ls -d /escaped'),
      image: (rootfs) => {
        fs.rmdirSync(path.join(rootfs, 'dev'));
        fs.symlinkSync('../../../../escaped', path.join(rootfs, 'dev'));
        fs.mkdirSync(path.join(rootfs, 'escaped'));
      },
    });
    assert.equal(status, 0);
    assert.ok(parsed(stdout).some(({ point }) => point === '/escaped'));
    assert.ok(!fs.existsSync('/escaped'));
  });

  await context.test('a read-only root is', async () => {
    const { stdout, stderr } = await attempt({ config: script('touch /x; touch /dev/shm/x && echo shm', (config) => ({ ...config, root: { ...config.root, readonly: true } })) });
    assert.match(stderr, /\/x: Read-only file system/);
    assert.equal(stdout, 'shm\n');
  });
});
