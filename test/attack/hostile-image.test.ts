/**
 * What no number stands for: images whose files are not what a runtime expects at their place. Symlinks where it mounts and makes
 * devices, out of the root by absolute target and by `..`; fifos and devices where it reads; device nodes of the host's disks.
 * Defence: every path of an image is resolved below its root (src/oci/open.ts), read only when it is an ordinary file
 * (src/sys/read-inside.ts), and device nodes open only when the cgroup's rules allow it (src/cgroup/devices.ts).
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { script, type Bundle, type ConfigChange } from '../support/bundle.ts';
import { all } from '../support/capability.ts';
import { attempt } from '../support/container.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups');

const only = (...destinations: readonly string[]): ConfigChange => (config) => ({ ...config, mounts: config.mounts.filter(({ destination }) => destinations.includes(destination)) });
const mounted = (...destinations: readonly string[]): ConfigChange => (config) => ({
  ...config, mounts: [...config.mounts, ...destinations.map((destination) => ({ destination, type: 'tmpfs', source: 'tmpfs', options: ['size=4k'] }))],
});

/** A folder of the host beside the root. Nothing may ever come into it. */
function outside(bundle: Bundle): string {
  const folder = path.join(bundle.path, 'outside');
  fs.mkdirSync(folder, { recursive: true });
  return folder;
}

function replace(rootfs: string, name: string, target: string): void {
  fs.rmSync(path.join(rootfs, name), { recursive: true, force: true });
  fs.symlinkSync(target, path.join(rootfs, name));
}

const images: readonly { readonly what: string; readonly config: ConfigChange; readonly image: (rootfs: string, target: string) => void }[] = [
  { what: '/dev leads out, with a tmpfs to mount there', config: (config) => config, image: (rootfs, target) => replace(rootfs, 'dev', target) },
  { what: '/dev leads out, with devices to make there', config: only('/proc'), image: (rootfs, target) => replace(rootfs, 'dev', target) },
  {
    what: '/dev/shm, /dev/pts and /dev/mqueue lead out',
    config: only('/proc', '/dev/shm', '/dev/pts', '/dev/mqueue'),
    image: (rootfs, target) => ['dev/shm', 'dev/pts', 'dev/mqueue'].forEach((name) => replace(rootfs, name, target)),
  },
  {
    what: '/dev/null, /dev/fd and /dev/ptmx lead out',
    config: only('/proc'),
    image: (rootfs, target) => ['dev/null', 'dev/zero', 'dev/fd', 'dev/ptmx'].forEach((name) => replace(rootfs, name, `${target}/${path.basename(name)}`)),
  },
  {
    what: 'components of a destination lead out',
    config: mounted('/a/b/c', '/link/b', '/up/made', '/../../../../escape', '/a/../../../escape2'),
    image: (rootfs, target) => {
      fs.mkdirSync(path.join(rootfs, 'a'));
      replace(rootfs, 'a/b', target);
      replace(rootfs, 'link', '../../../../../../../..');
      replace(rootfs, 'up', '/proc/self/root/..');
    },
  },
  { what: 'the working directory leads out', config: (config) => ({ ...config, process: { ...config.process, cwd: '/work/deeper' } }), image: (rootfs, target) => replace(rootfs, 'work', target) },
  { what: 'masked and read-only paths lead out', config: (config) => ({ ...config, linux: { ...config.linux, maskedPaths: ['/m', '/n/etc'], readonlyPaths: ['/m', '/n'] } }), image: (rootfs, target) => {
    replace(rootfs, 'm', target);
    replace(rootfs, 'n', '../../../../../../..');
  } },
];

for (const { what, config, image } of images) {
  test(`nothing leaves the root when ${what}`, { skip }, async () => {
    let host = '';
    const { status, stdout, stderr } = await attempt({
      config: script('cat /proc/1/mountinfo', config),
      image: (rootfs, bundle) => {
        host = outside(bundle);
        image(rootfs, host);
      },
      inspect: () => assert.deepEqual(fs.readdirSync(host), []),
    });
    // It runs in its own root, or is refused with a word about why.
    if (status === 0) assert.doesNotMatch(stdout, /outside/);
    else assert.match(stderr, /level=error msg=".+"\n$/);
  });
}

test('an image\'s passwd that is a fifo, a device or a folder keeps nobody waiting', { skip }, async () => {
  for (const make of [(file: string) => execFileSync('mkfifo', [file]), (file: string) => execFileSync('mknod', [file, 'c', '1', '5']), (file: string) => fs.mkdirSync(file)]) {
    const { status, stdout } = await attempt({
      config: script('echo $HOME'),
      image: (rootfs) => {
        fs.rmSync(path.join(rootfs, 'etc/passwd'));
        make(path.join(rootfs, 'etc/passwd'));
      },
    });
    assert.equal(status, 0);
    assert.equal(stdout, '/\n');
  }
});

test('device nodes of the image do not open', { skip }, async () => {
  const { stdout } = await attempt({
    config: all((config) => ({ ...config, process: { ...config.process, capabilities: { bounding: ['CAP_MKNOD'], effective: ['CAP_MKNOD'], permitted: ['CAP_MKNOD'] } } }), script('for f in /disk /mem /kmsg; do head -c 1 $f 2>&1; done; mknod /tmp/mem c 1 1; head -c 1 /tmp/mem 2>&1; echo end')),
    image: (rootfs) => {
      for (const [name = '', ...numbers] of [['disk', 'b', '254', '0'], ['mem', 'c', '1', '1'], ['kmsg', 'c', '1', '11']]) execFileSync('mknod', [path.join(rootfs, name), ...numbers]);
    },
  });
  const refused = ['disk', 'mem', 'kmsg', 'tmp/mem'].map((name) => `head: /${name}: Operation not permitted\n`).join('');
  assert.equal(stdout, `${refused}end\n`);
});

test('a root that is a symlink is the folder it leads to, for all that follows', { skip }, async () => {
  const { status, stdout } = await attempt({
    config: script('cat /canary', (config) => ({ ...config, root: { path: 'link' } })),
    image: (rootfs, bundle) => {
      fs.symlinkSync('rootfs', path.join(bundle.path, 'link'));
      fs.writeFileSync(path.join(rootfs, 'canary'), 'inside\n');
    },
  });
  assert.equal(status, 0);
  assert.equal(stdout, 'inside\n');
});

test('a mount on / itself shows nothing of the host', { skip }, async () => {
  for (const destination of ['/', '/tmp/../..']) {
    const { status, stdout } = await attempt({ config: script('ls /', (config) => ({ ...config, mounts: [...config.mounts, { destination, type: 'bind', source: 'rootfs', options: ['bind'] }] })) });
    if (status === 0) assert.equal(stdout.replaceAll('\n', ' '), 'bin dev etc proc root sys tmp ');
  }
});
