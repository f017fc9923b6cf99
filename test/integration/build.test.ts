// `delos build` in real containers: what it makes, and what it does not do twice.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { BuildContext, shellStage } from '../support/build-context.ts';
import { ended, Everyday } from '../support/everyday.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups');
const isolated = ['build', '--network', 'none'];

/** Builds, and gives the steps that were not done before, by their text. */
function built(everyday: Everyday, ...words: string[]): { id: string; done: string[] } {
  const { status, stdout, stderr } = everyday.delos(...isolated, ...words);
  assert.equal(status, 0, stderr);
  const steps = stderr.split('\n').flatMap((line) => /^\[(?:.* )?\d+\/\d+\] (.*)$/.exec(line)?.[1] ?? []);
  return { id: stdout.trim(), done: steps.filter((step) => !/^(FROM|ARG) |: CACHED$/.test(step)) };
}

test('stages, commands, copies and settings make an image that runs', { skip }, async () => {
  await using everyday = new Everyday();
  using context = new BuildContext([
    'ARG WHO=world', ...shellStage, 'ENV PATH=/bin',
    'FROM base AS made', 'ARG WHO', 'ENV GREETING="hello $WHO"', 'WORKDIR /work', 'RUN echo "$GREETING" > said; mkdir empty',
    'RUN <<END', 'set -e', 'echo document > doc', 'END', 'RUN <<END', '#!/bin/cat', 'own program', 'END', 'COPY <<one <<\'two\' /docs/', '$GREETING', 'one', '$GREETING', 'two',
    'FROM base', 'COPY --from=made /work /work', 'COPY --from=1 /docs /docs', 'COPY --chown=5:6 --chmod=640 data /data/', 'USER 5', 'WORKDIR /work', 'ENTRYPOINT ["cat"]', 'CMD ["said", "doc"]',
  ], { data: 'data\n' });
  const { id } = built(everyday, '-t', 'first', '-t', 'first:again', '--label', 'a=b', '--build-arg', 'WHO=you', context.folder);
  assert.equal(everyday.output('run', '--rm', 'first'), 'hello you\ndocument\n');
  assert.equal(everyday.output('run', '--rm', 'first:again', '/docs/one', '/docs/two', '/data/data'), 'hello you\n$GREETING\ndata\n');
  assert.equal(everyday.output('run', '--rm', '--entrypoint', 'sh', 'first', '-c', 'busybox id -u; busybox stat -c "%u %g %a" /data/data; ls /work'), '5\n5 6 640\ndoc\nempty\nsaid\n');
  assert.equal(everyday.output('inspect', '-f', '{{.Id}} {{.Config.Labels}} {{.Config.User}}', 'first').trim(), `${id} map[a:b] 5`);
  assert.deepEqual(everyday.output('history', '--format', '{{.CreatedBy}}', '--no-trunc', 'first').trim().split('\n').slice(0, 4), [
    'LABEL a=b', 'CMD ["said", "doc"]', 'ENTRYPOINT ["cat"]', 'WORKDIR /work',
  ]);
  // Mount points of the containers are no part of it.
  assert.equal(everyday.output('run', '--rm', '--entrypoint', 'ls', 'first', '/', '/etc').includes('passwd'), false);
  assert.deepEqual(everyday.names(), []);
});

test('a step is done again when something that it depends on is another, and only then', { skip }, async () => {
  await using everyday = new Everyday();
  const run = 'RUN cat /proc/sys/kernel/random/uuid > /one';
  using context = new BuildContext([...shellStage, 'LABEL v=1', run, 'COPY in /in/', 'ARG V=0', 'RUN echo $V > /two'], { 'in/a': 'a', 'in/b': 'b' });
  const first = built(everyday, context.folder);
  assert.deepEqual(first.done, [...shellStage.slice(1), 'LABEL v=1', run, 'COPY in /in/', 'RUN echo $V > /two']);
  assert.deepEqual(built(everyday, context.folder), { id: first.id, done: [] });
  // Times are nothing, contents and modes are.
  fs.utimesSync(path.join(context.folder, 'in/a'), 1, 1);
  assert.deepEqual(built(everyday, context.folder), { id: first.id, done: [] });
  fs.chmodSync(path.join(context.folder, 'in/a'), 0o600);
  assert.deepEqual(built(everyday, context.folder).done, ['COPY in /in/', 'RUN echo $V > /two']);
  context.write('in/b', 'c');
  const changed = built(everyday, context.folder);
  assert.deepEqual(changed.done, ['COPY in /in/', 'RUN echo $V > /two']);
  assert.deepEqual(built(everyday, '--build-arg', 'V=1', context.folder).done, ['RUN echo $V > /two']);
  // A setting in the middle is none of what a command depends on, but for the environment.
  context.write('Dockerfile', fs.readFileSync(path.join(context.folder, 'Dockerfile'), 'utf8').replace('v=1', 'v=2'));
  assert.deepEqual(built(everyday, context.folder).done, ['LABEL v=2']);
  assert.equal(built(everyday, '--no-cache', context.folder).done.length, 6);
  // What was removed from the store is not there.
  everyday.output('system', 'prune', '-af');
  assert.equal(built(everyday, context.folder).done.length > 3, true);
});

test('a copy of what changes while it is copied is not taken for another', { skip }, async () => {
  await using everyday = new Everyday();
  using context = new BuildContext(['FROM scratch AS moving', 'COPY data /data', ...shellStage, 'COPY --from=moving /data /data', 'CMD ["/bin/cat", "/data"]'], { data: '' });
  const [file, fresh] = [path.join(context.folder, 'data'), path.join(everyday.data, 'fresh')];
  let count = 0;
  const writer = setInterval(() => {
    fs.writeFileSync(fresh, count++ % 2 === 0 ? 'even' : 'odd!');
    fs.renameSync(fresh, file);
  }, 1);
  for (let turn = 0; turn < 4; turn++) assert.equal(await ended(everyday.start(...isolated, '-q', '--no-cache', '--target', 'moving', context.folder)), 0);
  clearInterval(writer);
  for (const text of ['even', 'odd!']) {
    fs.writeFileSync(file, text);
    built(everyday, '-t', 'still', context.folder);
    assert.equal(everyday.output('run', '--rm', '--network', 'none', 'still'), text);
  }
});

test('the same input makes the same image, where it is told the time', { skip }, async () => {
  const dockerfile = [...shellStage, 'WORKDIR /a/b', 'COPY data .', 'RUN echo x > made && mkdir -p deep/er', 'COPY <<f /f', 'text', 'f', 'CMD ["sh"]'];
  const ids = [];
  for (const time of [2_000_000_000, 1_900_000_000]) {
    await using everyday = new Everyday();
    using context = new BuildContext(dockerfile, { data: 'x' });
    fs.utimesSync(path.join(context.folder, 'data'), time, time);
    fs.utimesSync(path.join(context.folder, 'busybox'), time, time);
    ids.push(everyday.output(...isolated, '-q', '--build-arg', 'SOURCE_DATE_EPOCH=1000000000', '-t', 'same', context.folder), everyday.output('inspect', '-f', '{{.Created}}', 'same'));
  }
  assert.deepEqual(ids.slice(2), ids.slice(0, 2));
  assert.equal(ids[1], '2001-09-09T01:46:40.000Z\n');
});

test('based on an image of the store: its settings are inherited, and what it left to be done is done', { skip }, async () => {
  await using everyday = new Everyday();
  using parent = new BuildContext([...shellStage, 'ENV A=1 PATH=/bin', 'CMD ["echo", "parent"]', 'EXPOSE 80', 'VOLUME /v', 'ONBUILD COPY given /given', 'ONBUILD RUN echo "$A" > /triggered']);
  built(everyday, '-t', 'parent', parent.folder);
  using child = new BuildContext(['FROM parent', 'ENV B=$A-2', 'RUN echo $B >> /triggered'], { given: 'given\n' });
  built(everyday, '-t', 'child', child.folder);
  assert.equal(everyday.output('run', '--rm', 'child', 'cat', '/given', '/triggered'), 'given\n1\n1-2\n');
  assert.equal(everyday.output('run', '--rm', 'child'), 'parent\n');
  const { ExposedPorts, Volumes, OnBuild, Cmd } = JSON.parse(everyday.output('inspect', '-f', '{{json .Config}}', 'child')) as Record<string, unknown>;
  assert.deepEqual({ ExposedPorts, Volumes, OnBuild, Cmd }, { ExposedPorts: { '80/tcp': {} }, Volumes: { '/v': {} }, OnBuild: undefined, Cmd: ['echo', 'parent'] });
  // A new entrypoint was not meant for the old command.
  using entry = new BuildContext(['FROM parent', 'ENTRYPOINT ["echo", "entry"]'], { given: '' });
  built(everyday, '-t', 'entry', entry.folder);
  assert.equal(everyday.output('run', '--rm', 'entry'), 'entry\n');
});

test('an argument is known in its stage and those based on it, behind its line, and gives way to a variable', { skip }, async () => {
  await using everyday = new Everyday();
  using context = new BuildContext([
    'ARG ABOVE=above', ...shellStage, 'FROM base AS one', 'RUN echo "1$ABOVE$A$B$HTTP_PROXY" >> /out', 'ARG A=a ABOVE', 'ENV B=$A', 'RUN echo "2$ABOVE$A$B$HTTP_PROXY" >> /out',
    'FROM one', 'ARG B=no', 'RUN echo "3$ABOVE$A$B" >> /out', 'FROM base', 'COPY --from=2 /out /', 'ARG TARGETPLATFORM TARGETARCH', 'RUN echo "4$A$TARGETPLATFORM $TARGETARCH" >> /out', 'CMD ["/bin/cat", "/out"]',
  ]);
  built(everyday, '-t', 'args', '--build-arg', 'A=given', '--build-arg', 'HTTP_PROXY=p', '--platform', 'linux/amd64', context.folder);
  assert.equal(everyday.output('run', '--rm', 'args'), '1p\n2abovegivengivenp\n3abovegivengiven\n4linux/amd64 amd64\n');
  // A proxy makes no difference to what was done.
  const again = built(everyday, '-t', 'args', '--build-arg', 'A=given', '--build-arg', 'HTTP_PROXY=q', '--platform', 'linux/amd64', context.folder);
  assert.deepEqual(again.done, []);
  assert.equal(everyday.output('history', '--no-trunc', 'args').includes('PROXY'), false);
});

test('only what the target needs is built', { skip }, async () => {
  await using everyday = new Everyday();
  using context = new BuildContext([...shellStage, 'FROM base AS broken', 'RUN false', 'FROM base AS Used', 'RUN echo used > /used', 'FROM base AS last', 'COPY --from=used /used /']);
  assert.deepEqual(built(everyday, '--target', 'last', context.folder).done, [...shellStage.slice(1), 'RUN echo used > /used', 'COPY --from=used /used /']);
  assert.deepEqual(built(everyday, '--target', '0', context.folder).done, []);
  assert.equal(everyday.delos(...isolated, '--target', 'broken', context.folder).status, 1);
});

test('contexts: another Dockerfile, what is left out, a tar, a Dockerfile alone', { skip }, async () => {
  await using everyday = new Everyday();
  const files = { 'src/a': 'a', 'src/b.log': 'b', 'node_modules/x': 'x', 'node_modules/keep/y': 'y', '.dockerignore': '*.log\n**/*.log\nnode_modules\n!node_modules/keep\n' };
  using context = new BuildContext([...shellStage, 'ENV PATH=/bin', 'COPY . /all', 'CMD ["find", "/all", "-type", "f"]'], files);
  const list = (): string[] => everyday.output('run', '--rm', 'all').trim().split('\n').sort();
  const wanted = ['/all/.dockerignore', '/all/Dockerfile', '/all/busybox', '/all/node_modules/keep/y', '/all/src/a'];
  built(everyday, '-t', 'all', context.folder);
  assert.deepEqual(list(), wanted);
  const tar = execFileSync('tar', ['-C', context.folder, '-cz', '.']);
  const fed = everyday.feed(tar, ...isolated, '-t', 'all', '--iidfile', path.join(everyday.data, 'iid'), '-');
  assert.equal(fed.status, 0, fed.stderr);
  assert.equal(fs.readFileSync(path.join(everyday.data, 'iid'), 'utf8'), fed.stdout.trim());
  assert.deepEqual(list(), wanted);
  assert.deepEqual(fs.readdirSync(path.join(everyday.data, 'unpacking')), []);
  const other = path.join(context.folder, 'other.Dockerfile');
  fs.writeFileSync(other, fs.readFileSync(path.join(context.folder, 'Dockerfile')));
  fs.writeFileSync(`${other}.dockerignore`, 'src\nnode_modules\nother*\n.d*\n');
  built(everyday, '-t', 'all', '-f', other, context.folder);
  assert.deepEqual(list(), ['/all/Dockerfile', '/all/busybox']);
  assert.equal(everyday.feed('FROM all\nLABEL x=y\n', ...isolated, '-t', 'alone', '-').status, 0);
  assert.equal(everyday.feed('FROM all\nCOPY src /x\n', ...isolated, '-t', 'third', '-f', '-', context.folder).status, 0);
});

test('commands have the network that was asked for', { skip }, async () => {
  await using everyday = new Everyday();
  using context = new BuildContext([...shellStage, 'RUN --network=host ls /sys/class/net > /host', 'RUN ls /sys/class/net > /given']);
  built(everyday, '-t', 'net', context.folder);
  assert.equal(everyday.output('run', '--rm', '--network', 'none', 'net', '/bin/cat', '/given'), 'lo\n');
  assert.deepEqual(everyday.output('run', '--rm', '--network', 'none', 'net', '/bin/cat', '/host').trim().split('\n').sort(), fs.readdirSync('/sys/class/net').filter((name) => name !== 'bonding_masters').sort());
});
