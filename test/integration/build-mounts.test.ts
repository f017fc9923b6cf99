// RUN --mount: what a command finds besides its root, and what does not become part of the image.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { BuildContext, shellStage } from '../support/build-context.ts';
import { Everyday } from '../support/everyday.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups');

/** Builds without a network; gives what was written to stderr. */
function build(everyday: Everyday, ...words: string[]): string {
  const { status, stderr } = everyday.delos('build', '--network', 'none', ...words);
  assert.equal(status, 0, stderr);
  return stderr;
}

test('a cache stays from build to build, and is no part of the image', { skip }, async () => {
  await using everyday = new Everyday();
  using context = new BuildContext([
    ...shellStage, 'RUN --mount=type=cache,target=/var/cache/it,mode=0700,uid=7 echo "$(cat /var/cache/it/count) x" > /var/cache/it/count; cat /var/cache/it/count > /seen; stat -c %u:%a /var/cache/it >> /seen',
  ]);
  for (const seen of [' x\n7:700\n', ' x x\n7:700\n']) {
    build(everyday, '--no-cache', '-t', 'made', context.folder);
    assert.equal(everyday.output('run', '--rm', '--network=none', 'made', '/bin/cat', '/seen'), seen);
  }
  assert.match(everyday.delos('run', '--rm', '--network=none', 'made', '/bin/ls', '/var/cache/it').stderr, /No such file/);
  // The step is known, whatever the cache holds.
  assert.match(build(everyday, '-t', 'made', context.folder), /RUN .*: CACHED/);
});

test('two builds that want a locked cache have it one after the other, and a private one each its own', { skip }, async () => {
  await using everyday = new Everyday();
  const holding = 'mkdir /c/held && sleep 1 && rmdir /c/held';
  for (const sharing of ['locked', 'private']) {
    using context = new BuildContext([...shellStage, `RUN --mount=type=cache,target=/c,id=${sharing},sharing=${sharing} ${holding}`]);
    // The stage below is done once before, so that both come to the command at once.
    build(everyday, '--target', 'base', context.folder);
    const both = [everyday.start('build', '--network', 'none', '--no-cache', context.folder), everyday.start('build', '--network', 'none', '--no-cache', context.folder)];
    const codes = await Promise.all(both.map((child) => new Promise((resolve) => child.once('exit', resolve))));
    assert.deepEqual(codes, [0, 0], sharing);
  }
});

test('files of the context, a stage or an image are bound; what is written to them is lost', { skip }, async () => {
  await using everyday = new Everyday();
  using context = new BuildContext([
    ...shellStage, 'FROM base AS tools', 'RUN mkdir /tools; echo tool > /tools/one', 'FROM base', 'WORKDIR /work',
    'RUN --mount=target=/context --mount=type=bind,from=tools,source=/tools,target=tools,rw cat /context/data tools/one /context/folder/deep > /seen; echo lost > tools/one; ls /context >> /seen; ! touch /context/new 2>/dev/null',
    'RUN --mount=type=bind,source=data,target=/single cat /single >> /seen',
  ], { data: 'data\n', 'folder/deep': 'deep\n', ignored: 'x', '.dockerignore': 'ignored\nbusybox2\n' });
  build(everyday, '-t', 'made', context.folder);
  const seen = everyday.output('run', '--rm', '--network=none', 'made', '/bin/cat', '/seen');
  assert.match(seen, /^data\ntool\ndeep\n/);
  assert.match(seen, /\ndata\n/);
  assert.ok(!seen.includes('ignored'), seen);
  assert.doesNotMatch(everyday.output('run', '--rm', '--network=none', 'made', '/bin/ls', '/', '/work'), /context|tools|single/);
  // What it holds is part of what the step depends on.
  assert.match(build(everyday, '-t', 'made', context.folder), /source=data.*: CACHED/);
  context.write('data', 'other\n');
  assert.doesNotMatch(build(everyday, '-t', 'made', context.folder), /source=data.*: CACHED/);
});

test('a secret is seen by its command alone, as a file or as a variable', { skip }, async () => {
  await using everyday = new Everyday();
  using context = new BuildContext([
    ...shellStage, 'RUN --mount=type=secret,id=token,uid=3,mode=0440 stat -c %u:%a /run/secrets/token > /seen; cat /run/secrets/token | wc -c >> /seen',
    'RUN --mount=type=secret,id=token,env=TOKEN,target=/etc/token test "$TOKEN" = "$(cat /etc/token)" && echo "$TOKEN" | wc -c >> /seen',
    'RUN --mount=type=secret,id=absent test ! -e /run/secrets/absent',
  ]);
  const file = path.join(everyday.data, 'secret-file');
  fs.writeFileSync(file, 'very secret words');
  build(everyday, '--secret', `id=token,src=${file}`, '-t', 'made', context.folder);
  assert.equal(everyday.output('run', '--rm', '--network=none', 'made', '/bin/cat', '/seen'), '3:440\n17\n18\n');
  fs.rmSync(file);
  const archive = path.join(everyday.data, 'made.tar');
  everyday.output('save', '-o', archive, 'made');
  assert.ok(!fs.readFileSync(archive).includes('very secret'));
  context.write('Dockerfile', [...shellStage, 'RUN --mount=type=secret,id=token,required true'].join('\n'));
  assert.match(everyday.delos('build', '--network', 'none', context.folder).stderr, /the secret token is required: give it with --secret id=token,src=FILE/);
});

test('a tmpfs, and what is no mount', { skip }, async () => {
  await using everyday = new Everyday();
  using context = new BuildContext([...shellStage, 'RUN --mount=type=tmpfs,target=/scratch,size=1m ! dd if=/dev/zero of=/scratch/x bs=1M count=2 2>/dev/null; cp /bin/busybox /scratch/sh 2>/dev/null; grep " /scratch " /proc/mounts | cut -d" " -f3 > /seen']);
  build(everyday, '-t', 'made', context.folder);
  assert.equal(everyday.output('run', '--rm', '--network=none', 'made', '/bin/cat', '/seen'), 'tmpfs\n');
  for (const [mount, message] of [
    ['type=ssh', /--mount=type=ssh is not supported: expected bind, cache, tmpfs, secret/], ['type=cache', /a target that is not the root is missing/],
    ['type=cache,target=/x,sharing=some', /expected shared, locked, private/], ['type=tmpfs,target=/x,id=1', /of tmpfs there are target, size/],
    ['type=bind,target=/x,source=../..', /leads out of the context/],
  ] as const) {
    context.write('Dockerfile', [...shellStage, `RUN --mount=${mount} true`].join('\n'));
    assert.match(everyday.delos('build', '--network', 'none', context.folder).stderr, message);
  }
});
