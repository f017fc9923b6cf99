// The storage driver vfs: roots that are copies, where overlayfs is not to be used or cannot be.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { busyboxTar, importBusybox } from '../support/busybox-image.ts';
import { Everyday } from '../support/everyday.ts';
import { skipUnless } from '../support/skip.ts';

const build = path.resolve(import.meta.dirname, '../../build');
const skip = skipUnless('root', 'cgroups', 'busybox');

/** The commands of a test, all with this driver. */
function driven(everyday: Everyday, driver: string): (...words: string[]) => string {
  return (...words) => everyday.output('--storage-driver', driver, ...words);
}

/** What a container writes in the tests, and what becomes of it. */
const work = 'echo new > /etc/new; rm /etc/motd; echo more >> /usr/old; chmod 700 /tmp; ln /etc/new /usr/linked; mkdir /usr/folder; chown 12:34 /usr/folder';
const changes = ['C /etc', 'D /etc/motd', 'A /etc/new', 'C /tmp', 'C /usr', 'A /usr/folder', 'A /usr/linked', 'C /usr/old', ''].join('\n');

function members(archive: Buffer): string[] {
  return execFileSync('tar', ['-tv', '--numeric-owner', '--full-time'], { input: archive, encoding: 'utf8' }).split('\n');
}

function exported(everyday: Everyday, name: string): Buffer {
  const [program = '', ...words] = everyday.command;
  return spawnSync(program, [...words, 'export', name], { maxBuffer: 1 << 28 }).stdout;
}

test('diff, commit, export, cp and build tell of a copy what they tell of an overlay', { skip }, async () => {
  await using everyday = new Everyday();
  const seen = ['overlay', 'vfs'].map((driver) => {
    const delos = driven(everyday, driver);
    if (driver === 'overlay') importBusybox(everyday, 'base');
    else delos('load', '-q', '-i', path.join(everyday.data, 'base.tar'));
    if (driver === 'overlay') delos('save', '-o', path.join(everyday.data, 'base.tar'), 'base');
    delos('run', '--network=none', '--name', driver, 'base', 'sh', '-c', work);
    assert.equal(delos('diff', driver), changes, driver);
    delos('commit', driver, `${driver}-made`);
    const inside = delos('run', '--rm', '--network=none', `${driver}-made`, 'sh', '-c', 'cat /etc/new /usr/old /usr/linked; ls /etc /usr; stat -c %u:%g:%a /usr/folder /tmp');
    fs.writeFileSync(path.join(everyday.data, 'file'), 'copied\n');
    delos('cp', path.join(everyday.data, 'file'), `${driver}:/usr/copied`);
    assert.match(delos('start', '-a', driver), /^$/);
    const { Driver } = (JSON.parse(delos('inspect', driver)) as [{ Driver: string }])[0];
    assert.equal(Driver, driver);
    return { inside, members: members(exported(everyday, driver)).map((line) => line.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? +/, 'TIME ')).sort() };
  });
  assert.deepEqual(seen[0], seen[1]);
  assert.equal(seen[1]?.inside.startsWith('new\nold\nmore\nnew\n'), true, seen[1]?.inside);
  assert.ok(seen[1]?.members.some((line) => line.endsWith('usr/copied')));
});

test('RUN in copies makes the layers that it makes in overlays', { skip }, async () => {
  await using everyday = new Everyday();
  const context = path.join(everyday.data, 'context');
  fs.mkdirSync(context);
  fs.writeFileSync(path.join(context, 'Dockerfile'), `FROM base\nRUN ${work}\nRUN true\nRUN rm -r /usr/folder && echo last > /usr/last\n`);
  importBusybox(everyday, 'base');
  const layers = ['overlay', 'vfs'].map((driver) => {
    const delos = driven(everyday, driver);
    // Of the image there are two unpacked layers then: each driver has its own.
    if (driver === 'vfs') delos('load', '-q', '-i', path.join(everyday.data, 'base.tar'));
    else delos('save', '-o', path.join(everyday.data, 'base.tar'), 'base');
    delos('build', '-q', '--no-cache', '--network=none', '-t', driver, context);
    const file = path.join(everyday.data, `${driver}.tar`);
    delos('save', '--format', 'oci-archive', '-o', file, driver);
    return delos('run', '--rm', '--network=none', driver, 'sh', '-c', 'cat /etc/new /usr/old /usr/last; ls / /etc /usr; stat -c %a /tmp');
  });
  assert.equal(layers[0], layers[1]);
  const histories = ['overlay', 'vfs'].map((name) => everyday.output('history', '--format', '{{.CreatedBy}}|{{.Size}}', name).split('\n').map((line) => line.replace(/\|[1-9].*/, '|some')));
  assert.deepEqual(histories[0], histories[1]);
});

test('a user namespace, and a volume that begins as what the image has there', { skip }, async () => {
  await using everyday = new Everyday();
  const delos = driven(everyday, 'vfs');
  delos('import', '-c', 'CMD ["sh"]', '-c', 'ENV PATH=/bin', busyboxTar(everyday.data), 'base');
  const mapped = ['--uidmap=0:200000:1000', '--gidmap=0:200000:1000'];
  assert.equal(delos('run', '--network=none', ...mapped, '--name', 'mapped', 'base', 'sh', '-c', `${work}; stat -c %u /usr/old`), '0\n');
  const rootfs = path.join(everyday.data, 'containers', (JSON.parse(delos('inspect', 'mapped')) as [{ Id: string }])[0].Id, 'rootfs');
  assert.deepEqual(['usr/old', 'usr/folder'].map((name) => fs.statSync(path.join(rootfs, name)).uid), [200000, 200012]);
  assert.equal(delos('diff', 'mapped'), changes);
  delos('commit', 'mapped', 'made');
  assert.equal(delos('run', '--rm', '--network=none', 'made', 'stat', '-c', '%u:%g', '/usr/folder', '/usr/old'), '12:34\n0:0\n');
  assert.equal(delos('run', '--rm', '--network=none', '-v', 'vol:/usr', 'base', 'cat', '/usr/old'), 'old\n');
});

test('a store where the kernel refuses overlays has copies by itself, and doctor says so', { skip }, async (context) => {
  const folder = overlayFolder(context);
  const delos = (...words: string[]): string => execFileSync(path.join(build, 'node'), [path.join(build, 'delos.cjs'), '--root', folder, '--runroot', path.join(folder, 'run'), ...words], { encoding: 'utf8' });
  delos('import', '-c', 'ENV PATH=/bin', busyboxTar(path.dirname(folder)), 'base');
  delos('run', '--network=none', '--name', 'work', 'base', 'sh', '-c', work);
  assert.equal(delos('diff', 'work'), changes);
  assert.match(spawnSync(path.join(build, 'node'), [path.join(build, 'delos.cjs'), '--root', folder, 'doctor'], { encoding: 'utf8' }).stdout, /^-- {2}storage +vfs: an overlay cannot be used here \(mount: EINVAL\)/m);
  delos('rm', 'work');
  delos('rmi', 'base');
  assert.deepEqual([fs.readdirSync(path.join(folder, 'vfs')), fs.readdirSync(path.join(folder, 'layers'))], [[], []]);
});

/** A folder on an overlay, which cannot be the upper one of another. */
function overlayFolder(context: TestContext): string {
  const around = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-vfs-'));
  const [lower, upper, workdir, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => path.join(around, name)) as [string, string, string, string];
  for (const name of [lower, upper, workdir, merged]) fs.mkdirSync(name);
  execFileSync('mount', ['-t', 'overlay', 'delos-test', '-o', `lowerdir=${lower},upperdir=${upper},workdir=${workdir}`, merged]);
  context.after(() => {
    execFileSync('umount', [merged]);
    fs.rmSync(around, { recursive: true });
  });
  return merged;
}

test('an ordinary user', { skip: skip || skipUnless('setpriv', 'user namespaces') }, (context) => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-vfs-'));
  context.after(() => fs.rmSync(home, { recursive: true }));
  const tar = busyboxTar(home);
  fs.chmodSync(home, 0o755);
  for (const name of ['', 'run']) fs.mkdirSync(path.join(home, name), { recursive: true });
  for (const name of ['', 'run']) fs.chownSync(path.join(home, name), 65534, 65534);
  const delos = (...words: string[]): string => execFileSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', path.join(build, 'node'), path.join(build, 'delos.cjs'), ...words], {
    cwd: home, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: path.join(home, 'run'), STORAGE_DRIVER: 'vfs' },
  });
  const owned = work.replace('; chown 12:34 /usr/folder', '');
  delos('import', '-c', 'ENV PATH=/bin', tar, 'base');
  assert.equal(delos('run', '--network=none', '--name', 'work', 'base', 'sh', '-c', `${owned}; stat -c %u /usr/old`), '0\n');
  assert.equal(delos('diff', 'work'), changes);
  delos('commit', 'work', 'made');
  assert.equal(delos('run', '--rm', '--network=none', 'made', 'sh', '-c', 'cat /etc/new; stat -c %u:%g /etc/new'), 'new\n0:0\n');
  delos('rm', 'work');
  assert.deepEqual(fs.readdirSync(path.join(home, '.local/share/delos/containers')), []);
});

test('a driver that is none is refused', { skip }, async () => {
  await using everyday = new Everyday();
  assert.equal(everyday.delos('--storage-driver', 'btrfs', 'images').stderr, 'delos: the storage driver "btrfs": expected overlay or vfs\n');
});
