// The commands about images, with podman, skopeo and tar as judges of what they write.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { busyboxTar, importBusybox } from '../support/busybox-image.ts';
import { Everyday } from '../support/everyday.ts';
import { marker } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'cgroups', 'busybox');

function run(command: string, args: readonly string[], options: { readonly cwd?: string; readonly input?: Buffer } = {}): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

/** What the tests look at in the output of `inspect`. */
interface Inspected {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly Author: string;
  readonly Comment: string;
  readonly Config: { readonly Env: string[]; readonly Cmd: string[]; readonly Labels: object; readonly ExposedPorts: object; readonly WorkingDir: string };
  readonly RootFS: { readonly Layers: readonly string[] };
}

/** The bytes that a command writes. */
function bytes({ command: [program = '', ...before] }: Everyday, ...words: readonly string[]): Buffer {
  const { status, stdout, stderr } = spawnSync(program, [...before, ...words], { maxBuffer: 1 << 28 });
  assert.equal(status, 0, stderr.toString());
  return stdout;
}

test('import, and what images, history, inspect and search show of it', { skip }, async () => {
  await using everyday = new Everyday();
  const id = importBusybox(everyday, 'team/base:1');
  assert.match(id, /^sha256:[0-9a-f]{64}$/);
  const short = id.slice(7, 19);
  const line = `team/base    1         ${short}   .* ago   [\\d.]+MB`;
  assert.match(everyday.output('images'), new RegExp(`^REPOSITORY   TAG       IMAGE ID       CREATED +SIZE\n${line}\n$`));
  assert.equal(everyday.output('images', '-q'), `${short}\n`);
  assert.equal(everyday.output('images', '-q', '--no-trunc', 'team/*'), `${id}\n`);
  assert.equal(everyday.output('image', 'ls', '--format', '{{.Repository}}:{{.Tag}} {{.Digest}}'), 'team/base:1 <none>\n');
  assert.match(everyday.output('images', '--digests'), /^REPOSITORY +TAG +DIGEST +IMAGE ID/);
  assert.equal(everyday.output('images', '-q', '--filter', 'label=kind=other'), '');
  assert.equal(everyday.output('images', '-q', '--filter', 'label=kind', '--filter', 'reference=team/b?se:[0-9]'), `${short}\n`);
  assert.equal(everyday.output('images', '-q', '--filter', 'dangling=true'), '');
  assert.equal(everyday.output('search', 'BAS', '--format', '{{.Name}}'), 'team/base\n');
  const steps = `${short} .*Imported from .*busybox\\.tar`;
  assert.match(everyday.output('history', 'team/base:1'), new RegExp(`^IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n${steps}\n$`));
  const [image] = JSON.parse(everyday.output('inspect', short)) as [Inspected];
  assert.deepEqual([image.Id, image.RepoTags, image.RootFS.Layers.length], [id, ['team/base:1'], 1]);
  assert.deepEqual([image.Config.Cmd, image.Config.Env, image.Config.Labels], [['sh'], ['PATH=/bin'], { kind: 'test' }]);
  assert.equal(everyday.output('image', 'inspect', '-f', '{{.Id}}', 'team/base:1'), `${id}\n`);
  for (const words of [['inspect', '--type', 'container'], ['container', 'inspect']]) {
    assert.equal(everyday.delos(...words, 'team/base:1').stderr, 'delos: no such container: team/base:1\n');
  }
  assert.match(everyday.output('container', 'ls', '-a'), /^CONTAINER ID .*\n$/);
});

test('the same archive and time make the same image, whatever it is packed with', { skip: skip || skipUnless('zstd') }, async () => {
  await using everyday = new Everyday();
  process.env['SOURCE_DATE_EPOCH'] = '1000000000';
  try {
    const tar = fs.readFileSync(busyboxTar(everyday.data));
    const packed = ['gzip', 'zstd'].map((packer) => spawnSync(packer, { input: tar, maxBuffer: 1 << 28 }).stdout);
    const ids = [tar, ...packed].map((archive) => {
      const file = path.join(everyday.data, 'archive');
      fs.writeFileSync(file, archive);
      return everyday.output('import', '-m', 'the same', file);
    });
    assert.equal(new Set(ids).size, 1);
    assert.equal(everyday.output('images', '--format', '{{.Repository}} {{.Tag}} {{.CreatedAt}}'), '<none> <none> 2001-09-09 01:46:40 +0000 UTC\n');
  } finally {
    delete process.env['SOURCE_DATE_EPOCH'];
  }
});

test('tag, rmi and prune: names go one by one, the image with the last, and not while a container uses it', { skip }, async () => {
  await using everyday = new Everyday();
  const id = importBusybox(everyday, 'base');
  everyday.output('tag', 'base', '127.0.0.1:5000/a/b:2');
  assert.match(everyday.delos('rmi', id.slice(7, 19)).stderr, /^delos: the image [0-9a-f]{12} has several names .*\n$/);
  assert.equal(everyday.output('rmi', 'base'), 'Untagged: base:latest\n');
  everyday.output('create', '--network=none', '--name', 'user', '127.0.0.1:5000/a/b:2', 'true');
  assert.match(everyday.delos('rmi', '127.0.0.1:5000/a/b:2').stderr, /^delos: the image .* is used by container [0-9a-f]{12}: .*\n$/);
  assert.match(everyday.output('system', 'df'), /^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages +1 +1 .*\nContainers +1 +0 .*\nLocal Volumes +0 +0 /);
  assert.equal(everyday.output('image', 'prune', '-af'), 'Total reclaimed space: 0B\n');
  assert.equal(everyday.feed('n\n', 'system', 'prune').status, 0);
  assert.deepEqual(everyday.names(), ['user']);
  const pruned = everyday.feed('y\n', 'system', 'prune', '-a').stdout;
  const [containers, images] = [/[0-9a-f]{64}\n/.source, /untagged: 127\.0\.0\.1:5000\/a\/b:2\n(deleted: sha256:[0-9a-f]{64}\n){2}/.source];
  assert.match(pruned, new RegExp(`^Deleted Containers:\n${containers}\nDeleted Images:\n${images}\nTotal reclaimed space: [\\d.]+MB\n$`));
  assert.match(pruned, new RegExp(`^deleted: ${id}$`, 'm'));
  assert.deepEqual(fs.readdirSync(path.join(everyday.data, 'blobs/sha256')), []);
  assert.equal(everyday.delos('rmi', 'base').status, 1);
  importBusybox(everyday, 'old');
  assert.equal(everyday.output('image', 'prune', '-af', '--filter', 'until=1h'), 'Total reclaimed space: 0B\n');
  assert.match(everyday.output('image', 'prune', '-af', '--filter', 'label=kind=test'), /^Deleted Images:\nuntagged: old:latest\n/);
});

test('what save writes podman and skopeo load, and the reverse', { skip: skip || skipUnless('podman', 'runc', 'skopeo') }, async () => {
  await using everyday = new Everyday();
  const folder = path.join(everyday.data, 'archives');
  fs.mkdirSync(folder);
  const id = importBusybox(everyday, 'docker.io/team/base:1');
  everyday.output('save', '-o', path.join(folder, 'ours.tar'), 'team/base:1');
  everyday.output('save', '--format', 'oci-dir', '-o', path.join(folder, 'ours'), 'team/base:1');
  const places = ['--root', path.join(folder, 'peer'), '--runroot', path.join(folder, 'peer-run'), '--storage-driver', 'vfs'];
  const podman = (...words: readonly string[]): string => run('podman', ['--runtime=runc', ...places, ...words]);
  podman('load', '-i', path.join(folder, 'ours.tar'));
  assert.equal(podman('image', 'inspect', '-f', '{{.Id}}', 'docker.io/team/base:1').trim(), id.slice(7));
  const limits = ['--network=none', '--ulimit=nofile=99:99', '--ulimit=nproc=999:999'];
  assert.equal(podman('run', '--rm', ...limits, 'docker.io/team/base:1', 'cat', '/etc/motd'), 'welcome\n');
  for (const source of [`docker-archive:${folder}/ours.tar`, `oci-archive:${folder}/ours.tar`, `oci:${folder}/ours`]) {
    assert.equal(JSON.parse(run('skopeo', ['inspect', '--config', source])).config.Cmd[0], 'sh', source);
  }
  importBusybox(everyday, 'docker.io/team/other:2');
  everyday.output('save', '-o', path.join(folder, 'both.tar'), 'team/base:1', 'team/other:2');
  podman('rmi', '-af');
  podman('load', '-i', path.join(folder, 'both.tar'));
  assert.deepEqual(podman('images', '--format', '{{.Repository}}').trim().split('\n').toSorted(), ['docker.io/team/base', 'docker.io/team/other']);
  for (const format of ['docker-archive', 'oci-archive', 'oci-dir']) {
    podman('save', '--format', format, '-o', path.join(folder, `theirs-${format}`), 'docker.io/team/base:1');
  }
  run('tar', ['-xf', 'theirs-docker-archive', '-C', fs.mkdtempSync(path.join(folder, 'unpacked-'))], { cwd: folder });
  everyday.output('rmi', 'team/base:1', 'team/other:2');
  const unpacked = fs.readdirSync(folder).find((name) => name.startsWith('unpacked-')) as string;
  for (const name of ['theirs-docker-archive', 'theirs-oci-archive', 'theirs-oci-dir', unpacked, 'ours', 'ours.tar']) {
    const loaded = everyday.output('load', '-i', path.join(folder, name));
    assert.match(loaded, /^Loaded image(: team\/base:1| ID: sha256:[0-9a-f]{64})\n$/, name);
    assert.equal(everyday.output('run', '--network=none', '--rm', loaded.trim().split(/: (?:sha256:)?/)[1] as string, 'cat', '/etc/motd'), 'welcome\n', name);
    everyday.output('image', 'prune', '-af');
  }
  const ours = fs.readFileSync(path.join(folder, 'ours.tar'));
  const [program = '', ...before] = everyday.command;
  assert.equal(spawnSync(program, [...before, 'load'], { input: ours, encoding: 'utf8' }).stdout, 'Loaded image: team/base:1\n');
  assert.deepEqual(bytes(everyday, 'save', 'team/base:1'), ours);
});

test('diff and commit: what a container changed, and an image of it', { skip }, async () => {
  await using everyday = new Everyday();
  importBusybox(everyday, 'base');
  everyday.output('run', '--network=none', '--name', 'quiet', 'base', 'true');
  assert.equal(everyday.output('diff', 'quiet'), '');
  const script = 'echo new > /etc/new; rm /etc/motd; mkdir -p /srv/a; echo x > /srv/a/x; rm -r /usr; mkdir /usr; ln -s x /srv/a/link';
  everyday.output('run', '--network=none', '--name', 'work', '-e', 'MOOD=fine', '-w', '/srv', '-l', 'by=us', 'base', 'sh', '-c', script);
  assert.equal(everyday.output('diff', 'work'), 'C /etc\nD /etc/motd\nA /etc/new\nA /srv\nA /srv/a\nA /srv/a/link\nA /srv/a/x\nC /usr\n');
  assert.deepEqual(JSON.parse(everyday.output('diff', '--format', 'json', 'work')).deleted, ['/etc/motd']);
  const id = everyday.output('commit', '-a', 'us', '-m', 'a message', '-c', 'CMD ["cat", "/etc/new"]', '-c', 'EXPOSE 80', 'work', 'made:1').trim();
  assert.equal(everyday.output('run', '--network=none', '--rm', 'made:1'), 'new\n');
  const seen = everyday.output('run', '--network=none', '--rm', 'made:1', 'sh', '-c', '[ -e /etc/motd ] || echo gone; ls /usr; pwd; echo $MOOD; cat a/link');
  assert.equal(seen, 'gone\n/srv\nfine\nx\n');
  const [image] = JSON.parse(everyday.output('inspect', id)) as [Inspected];
  assert.deepEqual([image.Author, image.Comment], ['us', 'a message']);
  assert.deepEqual([image.Config.WorkingDir, image.Config.ExposedPorts, image.Config.Labels], ['/srv', { '80/tcp': {} }, { kind: 'test', by: 'us' }]);
  assert.deepEqual(image.Config.Env, ['PATH=/bin', 'MOOD=fine']);
  const layer = run('tar', ['-tzf', `${everyday.data}/blobs/sha256/${layersOf(everyday, id).at(-1)}`]);
  assert.equal(layer, 'etc/\netc/.wh.motd\netc/new\nsrv/\nsrv/a/\nsrv/a/link\nsrv/a/x\nusr/\nusr/.wh..wh..opq\n');
});

/** The hexadecimal digits of an image's packed layers. */
function layersOf(everyday: Everyday, id: string): string[] {
  const [{ Descriptor }] = JSON.parse(everyday.output('inspect', id)) as [{ Descriptor: { digest: string } }];
  const manifest = JSON.parse(fs.readFileSync(`${everyday.data}/blobs/sha256/${Descriptor.digest.slice(7)}`, 'utf8')) as { layers: { digest: string }[] };
  return manifest.layers.map(({ digest }) => digest.slice(7));
}

test('a running container that writes to memory only is told by what it shows, and goes on', { skip }, async () => {
  await using everyday = new Everyday();
  importBusybox(everyday, 'base');
  everyday.output('run', '--network=none', '-d', '--rm', '--name', 'live', 'base', 'sh', '-c', 'echo y > /y; rm /etc/motd; touch /ready; sleep 1000');
  for (let tries = 0; everyday.delos('exec', 'live', 'cat', '/ready').status !== 0 && tries < 50; tries++);
  assert.equal(everyday.output('diff', 'live'), 'C /etc\nD /etc/motd\nA /ready\nA /y\n');
  everyday.output('commit', 'live', 'alive');
  assert.equal(everyday.output('ps', '--format', '{{.State}}'), 'running\n');
  assert.equal(everyday.output('run', '--network=none', '--rm', 'alive', 'sh', '-c', 'cat /y; [ -e /etc/motd ] || echo gone'), 'y\ngone\n');
  everyday.output('create', '--network=none', '--rm', '--name', 'still', 'base', 'true');
  assert.match(everyday.delos('diff', 'still').stderr, /^delos: container still does not run, .*\n$/);
  assert.match(everyday.output('commit', '--pause=false', 'live'), /^sha256:/);
});

test('export: the root file system alone, running or not, and import makes it an image again', { skip }, async () => {
  await using everyday = new Everyday();
  importBusybox(everyday, 'base');
  const volume = path.join(everyday.data, 'volume');
  fs.mkdirSync(volume);
  fs.writeFileSync(path.join(volume, 'secret'), 'secret');
  everyday.output('run', '--network=none', '-d', '--name', 'live', '-v', `${volume}:/data`, 'base', 'sh', '-c', 'echo z > /z; rm /etc/motd; sleep 1000');
  const all = (): string[] => run('tar', ['-t'], { input: bytes(everyday, 'export', 'live') }).split('\n');
  const list = (): string[] => all().filter((name) => name !== '' && !/^(bin|etc)\//.test(name)).toSorted();
  for (let tries = 0; !list().includes('z') && tries < 20; tries++);
  const running = list();
  assert.deepEqual(running, ['./', 'data/', 'dev/', 'proc/', 'sys/', 'tmp/', 'usr/', 'usr/old', 'z']);
  everyday.output('kill', 'live');
  everyday.output('wait', 'live');
  assert.deepEqual(list(), running);
  const file = path.join(everyday.data, 'exported.tar');
  everyday.output('export', '-o', file, 'live');
  everyday.output('import', file, 'again');
  assert.equal(everyday.output('run', '--network=none', '--rm', 'again', '/bin/sh', '-c', 'PATH=/bin; cat /z; ls /data'), 'z\n');
  assert.match(everyday.delos('export', '-o', '/', 'live').stderr, /^delos: \/: cannot be written: it is a folder\n$/);
});

test('mistakes are told in one line', { skip }, async () => {
  await using everyday = new Everyday();
  importBusybox(everyday, 'base');
  everyday.output('create', '--network=none', '--name', 'cc', 'host', 'true');
  const junk = path.join(everyday.data, marker);
  fs.writeFileSync(junk, 'junk');
  const wrong: readonly (readonly [words: readonly string[], stderr: RegExp])[] = [
    [['load', '-i', '/no/such'], /^delos: \/no\/such: cannot be read: ENOENT\n$/],
    [['load', '-i', junk], /^delos: the archive at byte 4: .*\n$/],
    [['load', '-i', '/etc'], /^delos: \/etc is no saved image: .*\n$/],
    [['save', '--format', 'zip', 'base'], /^delos: invalid --format 'zip': .*\n$/],
    [['save', 'nobody'], /^delos: no such image: nobody\n$/],
    [['import', '-c', 'RUN true', junk], /^delos: cannot change an image by 'RUN true': .*\n$/],
    [['import', junk], /^delos: the archive at byte 4: .*\n$/],
    [['import', junk, 'Upper'], /^delos: invalid image name 'Upper': .*\n$/],
    [['tag', 'base', 'a@b'], /^delos: invalid image name 'a@b': .*\n$/],
    [['tag', 'nobody', 'a'], /^delos: no such image: nobody\n$/],
    [['commit', 'cc'], /^delos: container cc was not made of an image that is kept here: .*\n$/],
    [['images', '--filter', 'size=1'], /^delos: invalid --filter 'size=1': .*\n$/],
    [['images', '['], /^delos: '\[' is no pattern .*\n$/],
    [['inspect', '--type', 'x', 'base'], /^delos: invalid --type 'x': .*\n$/],
    [['image', 'prune', '-f', '--filter', 'a=b'], /^delos: invalid --filter 'a=b': .*\n$/],
    [['cp', 'a', 'b'], /^delos: expected one of the two to be CONTAINER:PATH, found none\n$/],
    [['cp', 'cc:/no', '/tmp'], /^delos: cc:\/no: there is no such file or folder\n$/],
    [['image', 'bogus'], /^delos: 'bogus' is not a delos image command.*\n$/],
  ];
  for (const [words, stderr] of wrong) {
    const outcome = everyday.delos(...words);
    assert.match(outcome.stderr, stderr, words.join(' '));
    assert.notEqual(outcome.status, 0);
  }
  assert.deepEqual(fs.readdirSync(path.join(everyday.data, 'unpacking')), []);
});
