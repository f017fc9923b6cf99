// `delos run` of images that a registry has: pulled once, and run as they say.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Everyday } from '../support/everyday.ts';
import { startRegistry, type RegistryProcess } from '../support/registry-process.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups', 'docker-registry', 'umoci', 'skopeo');

/** Pushes an image of two layers: busybox, and one that hides a file of the first and adds another. */
function push({ host, folder }: RegistryProcess): string {
  const [layout, unpacked] = [path.join(folder, 'layout'), path.join(folder, 'unpacked')];
  const image = `${layout}:box`;
  const umoci = (...words: string[]): unknown => execFileSync('umoci', words, { stdio: 'pipe' });
  umoci('init', '--layout', layout);
  umoci('new', '--image', image);
  umoci('unpack', '--image', image, unpacked);
  const root = path.join(unpacked, 'rootfs');
  for (const name of ['bin', 'etc', 'home', 'tmp', 'data']) fs.mkdirSync(path.join(root, name));
  fs.copyFileSync('/usr/bin/busybox', path.join(root, 'bin/busybox'));
  for (const name of ['sh', 'cat', 'echo', 'id', 'ls', 'touch', 'stat', 'pwd', 'true']) fs.symlinkSync('busybox', path.join(root, 'bin', name));
  fs.writeFileSync(path.join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\n');
  fs.writeFileSync(path.join(root, 'etc/hidden'), 'lower\n');
  fs.symlinkSync('/../../etc', path.join(root, 'outside'));
  umoci('repack', '--image', image, unpacked);
  fs.rmSync(unpacked, { recursive: true });
  umoci('unpack', '--image', image, unpacked);
  fs.rmSync(path.join(root, 'etc/hidden'));
  fs.appendFileSync(path.join(root, 'etc/passwd'), 'app:x:1000:1000::/home:/bin/sh\n');
  fs.writeFileSync(path.join(root, 'etc/upper'), 'upper\n');
  umoci('repack', '--image', image, unpacked);
  const settings = { entrypoint: ['/bin/sh', '-c'], cmd: ['id -un; pwd; echo $WHO'], env: ['PATH=/bin', 'WHO=image'], user: ['app'], workingdir: ['/data'], volume: ['/var/kept'], label: ['a=b'] };
  umoci('config', '--image', image, ...Object.entries(settings).flatMap(([name, values]) => values.flatMap((value) => [`--config.${name}`, value])));
  execFileSync('skopeo', ['copy', '--dest-tls-verify=false', `oci:${image}`, `docker://${host}/box:latest`], { stdio: 'pipe' });
  return `${host}/box`;
}

test('an image of a registry', { skip }, async (context) => {
  const registry = await startRegistry(context);
  const image = push(registry);
  await using everyday = new Everyday();
  const run = (...words: string[]): string => everyday.output('run', '--rm', '--network', 'none', ...words);

  await context.test('is pulled once, and runs as it says', () => {
    assert.equal(everyday.delos('run', '--pull', 'never', image).stderr, `delos: the image ${image}:latest is not here, and is not to be pulled\n`);
    assert.equal(run(image), 'app\n/data\nimage\n');
    const blobs = registry.requests('GET', '/blobs/').length;
    assert.equal(run('-e', 'WHO=flag', '-u', 'root', '-w', '/', image), 'root\n/\nflag\n');
    assert.equal(run('--entrypoint', '/bin/echo', image, 'said'), 'said\n');
    assert.equal(registry.requests('GET', '/blobs/').length, blobs);
  });

  await context.test('shows its layers as one, which stay as they are', () => {
    const text = 'cat /etc/upper; ls /etc; echo mine > /etc/upper; cat /etc/upper';
    for (let time = 0; time < 2; time++) assert.equal(run('-u', '0', image, text), 'upper\nhostname\nhosts\npasswd\nupper\nmine\n');
  });

  await context.test('has its volumes and labels, and what was written at the next start', () => {
    everyday.output('create', '--name', 'kept', '--network', 'none', '-u', '0', image, 'ls /data /var/kept; touch /data/x /var/kept/y');
    for (const expected of ['/data:\n\n/var/kept:\n', '/data:\nx\n\n/var/kept:\ny\n']) assert.equal(everyday.output('start', '-a', 'kept'), expected);
    assert.equal(everyday.output('inspect', '-f', '{{json .Config.Labels}}', 'kept'), '{"a":"b"}\n');
  });

  await context.test('fills new volumes with what it has there, and with nothing from outside', () => {
    const files = (...flags: string[]): string => run('-u', '0', ...flags, image, 'ls /mnt; stat -c %a /mnt; echo > /mnt/z');
    assert.equal(everyday.output('run', '--rm', '--network', 'none', '-u', '0', '-v', 'kept:/etc', image, 'echo > /etc/z; ls /etc'), 'hostname\nhosts\npasswd\nupper\nz\n');
    assert.equal(files('-v', 'kept:/mnt'), 'hostname\nhosts\npasswd\nupper\nz\n755\n');
    assert.equal(files('-v', 'linked:/outside', '-v', 'linked:/mnt'), 'hostname\nhosts\npasswd\nupper\n755\n');
    assert.equal(run('-u', '0', '-v', 'empty:/etc:nocopy', image, 'ls /etc'), 'hostname\nhosts\n');
  });

  await context.test('runs with users of its own: its files belong to them', () => {
    const text = 'id -u; stat -c %u /bin /etc/passwd /tmp; touch /bin/new; stat -c %u /bin/new';
    assert.equal(run('-u', '0', '--uidmap', '0:100000:65536', '--gidmap', '0:100000:65536', image, text), '0\n0\n0\n0\n0\n');
  });

  await context.test('is told apart from what is none', () => {
    for (const [name, told] of [
      [`${registry.host}/nothing`, /^delos: [^\n]*nothing[^\n]*\n$/], ['UPPER', /^delos: [^\n]*lower case[^\n]*\n$/], [`${image}@sha256:0`, /^delos: [^\n]*digest[^\n]*\n$/],
      ['--platform=linux/s390x', /^delos: [^\n]*linux\/s390x[^\n]*\n$/], ['--pull=maybe', /^delos: [^\n]*--pull[^\n]*\n$/],
    ] as const) {
      const { status, stderr } = everyday.delos('run', '--rm', '-q', name, image);
      assert.deepEqual([status, told.test(stderr) ? '' : stderr], [125, '']);
    }
  });
});
