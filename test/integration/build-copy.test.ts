// What COPY and ADD make, held against buildah; skopeo copies it and podman runs it. And that nothing leads out.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compareTrees } from '../../src/layers/compare.ts';
import { BuildContext, shellStage } from '../support/build-context.ts';
import { Everyday } from '../support/everyday.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups');
const isolated = ['build', '-q', '--network', 'none'];

const files: Readonly<Record<string, string>> = {
  'tree/a': 'a', 'tree/sub/b': 'b', 'tree/sub/deep/c': 'c', 'tree/link': '-> a', 'tree/folder-link': '-> sub', 'tree/.hidden': 'h', 'named': '-> tree/a', 'named-folder': '-> tree',
  'many/f1.txt': '1', 'many/f2.txt': '2', 'many/g.md': 'g', 'secret.env': 's', 'kept.env': 'k', '.dockerignore': '*.env\n!kept.env\n**/deep\n',
};

const copies: readonly string[] = [
  ...shellStage, 'ENV PATH=/bin',
  'RUN mkdir -p /etc /existing/sub /tmp && chmod 1777 /tmp && chmod 700 /existing && ln -s existing /elink && ln -s bin /sbin',
  "RUN echo 'root:x:0:0:root:/root:/bin/sh' > /etc/passwd; echo 'app:x:7:8::/home:/bin/sh' >> /etc/passwd; echo 'grp:x:9:' > /etc/group",
  'FROM base', 'COPY tree /t1', 'COPY tree/ /t2/', 'COPY tree/a /t3', 'COPY tree/a /t4/', 'COPY many/*.txt /m/', 'COPY many/f[12].txt many/g.md existing2/',
  'COPY tree /existing', 'COPY named /n1', 'COPY named /n2/', 'COPY named-folder /n3', 'COPY --chown=app:grp tree/a /own/deep/', 'COPY --chown=app tree /own2/', 'COPY --chown=5 tree/a /own3/',
  'COPY --chmod=0640 tree/a /mode/', 'COPY ["tree/a", "many/g.md", "/with blank/"]', 'COPY tree/a /elink/through', 'COPY tree/a /sbin/program', 'COPY tree/a /tmp', 'COPY . /all/',
  'COPY tree/sub many tree /merged/', 'COPY many/f1.txt /over', 'COPY many/f2.txt /over', 'ADD pack.tgz /un/', 'ADD pack.tar /un2', 'ADD tree/a /plain', 'COPY pack.tar /packed', 'COPY --from=base /etc/passwd /etc/group /stage/',
  'COPY --from=0 /bin /number', 'WORKDIR /w', 'COPY tree/a ./', 'WORKDIR deeper/still', 'COPY tree/a .', 'ENV D=/by', 'COPY tree/a ${D}/variable', 'RUN rm -r /existing/sub && mkdir /existing/new',
  'USER 7', 'LABEL a=b c="d e"', 'EXPOSE 80 53/udp', 'STOPSIGNAL SIGINT', 'ENTRYPOINT ["/bin/sh", "-c"]', 'CMD ["true"]', 'ENV E="two words" F=a\\ b G=$D-x',
];

function contextOf(dockerfile: readonly string[]): BuildContext {
  const context = new BuildContext(dockerfile, files);
  fs.chmodSync(path.join(context.folder, 'tree/sub'), 0o750);
  for (const [name, flags] of [['pack.tgz', '-czf'], ['pack.tar', '-cf']] as const) {
    execFileSync('tar', ['-C', path.join(context.folder, 'tree'), '--owner=3', '--group=4', flags, path.join(context.folder, name), '.']);
  }
  return context;
}

/** The image unpacked by umoci, which neither has made. */
function unpacked(layout: string): string {
  execFileSync('umoci', ['unpack', '--image', `${layout}:image`, `${layout}-bundle`]);
  return `${layout}-bundle/rootfs`;
}

type Settings = Record<string, unknown> & { Labels: Record<string, string> };

function settings(layout: string): Settings {
  return (JSON.parse(execFileSync('skopeo', ['inspect', '--config', `oci:${layout}:image`], { encoding: 'utf8' })) as { config: Settings }).config;
}

test('the same Dockerfile built by buildah: the same tree and settings', { skip: skip || skipUnless('buildah', 'skopeo', 'umoci'), timeout: 180_000 }, async () => {
  await using everyday = new Everyday();
  using context = contextOf(copies);
  const [ours, theirs, archive] = ['ours', 'theirs', 'ours.tar'].map((name) => path.join(everyday.data, name)) as [string, string, string];
  everyday.output(...isolated, '-t', 'image', context.folder);
  everyday.output('save', '-o', archive, 'image');
  execFileSync('skopeo', ['copy', '-q', `docker-archive:${archive}`, `oci:${ours}:image`]);
  const places = ['--root', path.join(everyday.data, 'buildah'), '--runroot', path.join(everyday.data, 'buildah-run'), '--storage-driver', 'vfs'];
  execFileSync('buildah', [...places, 'bud', '--isolation', 'chroot', '--layers=false', '-t', 'theirs', context.folder], { stdio: 'ignore' });
  execFileSync('buildah', [...places, 'push', '-q', 'theirs', `oci:${theirs}:image`], { stdio: 'ignore' });
  // buildah leaves the mount points of its containers in its images.
  const leftOver = /^(dev|proc|run|sys|etc\/(hosts|hostname|resolv\.conf))$/;
  const differences = [...compareTrees(unpacked(ours), unpacked(theirs), { contents: true, except: ['time'] })].filter((found) => found.kind !== 'added' || !leftOver.test(found.path));
  assert.deepEqual(differences, []);
  const { Labels: { 'io.buildah.version': _, ...labels }, ...wanted } = settings(theirs);
  assert.deepEqual(settings(ours), { ...wanted, Labels: labels });
});

test('podman runs what is built, whose layers have no name twice', { skip: skip || skipUnless('podman', 'runc') }, async () => {
  await using everyday = new Everyday();
  using context = contextOf([...shellStage, 'ADD pack.tgz /un/', 'COPY tree/sub tree many tree /merged/', 'ENTRYPOINT ["/bin/cat"]', 'CMD ["/merged/sub/b", "/un/a"]']);
  const archive = path.join(everyday.data, 'image.tar');
  everyday.output(...isolated, '-t', 'image', context.folder);
  everyday.output('save', '-o', archive, 'image');
  const podman = ['--root', path.join(everyday.data, 'podman'), '--runroot', path.join(everyday.data, 'podman-run'), '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs'];
  execFileSync('podman', [...podman, 'load', '-q', '-i', archive], { stdio: 'ignore' });
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
  assert.equal(execFileSync('podman', [...podman, 'run', '--rm', '--network', 'none', '--runtime', 'runc', ...limits, 'image'], { encoding: 'utf8' }), 'ba');
});

test('nothing outside of the context is copied, and nothing outside of the image is written', { skip }, async () => {
  await using everyday = new Everyday();
  const outside = path.join(everyday.data, 'outside');
  fs.mkdirSync(outside);
  fs.writeFileSync(path.join(outside, 'secret'), 'secret');
  const refused: readonly (readonly [line: string, message: RegExp])[] = [
    ['COPY ../outside /x', /COPY \.\.\/outside \/x: \.\.\/outside leads out of the context/], ['COPY /../../etc/passwd /x', /leads out of the context/],
    ['COPY absolute /x', /absolute is not in the context$/], ['COPY relative/secret /x', /relative\/secret is not in the context$/], ['COPY rel*/secret /x', /nothing in the context fits rel\*\/secret$/],
    ['ADD absolute /x', /is not in the context$/], ['COPY --from=0 /../x /y', /leads out of stage 0$/],
  ];
  for (const [line, message] of refused) {
    using context = new BuildContext(['FROM scratch', 'FROM scratch', line], { absolute: `-> ${outside}/secret`, relative: `-> ../${path.basename(everyday.data)}/outside` });
    const { status, stderr } = everyday.delos(...isolated, context.folder);
    assert.equal(status, 1, line);
    assert.match(stderr.trimEnd(), message);
  }
  // Links within a folder that is copied stay links; what the image has for links is followed within the image.
  using context = new BuildContext(
    [...shellStage, `RUN ln -s ${outside} /out && ln -s ../../../../..${outside} /out2`, 'COPY folder /folder', 'COPY busybox /out/one', 'COPY busybox /out2/', 'ADD bad.tar /out'],
    { 'folder/link': `-> ${outside}` },
  );
  execFileSync('tar', ['-C', context.folder, '--transform', 's,^busybox,../../../escaped,', '-P', '-cf', path.join(context.folder, 'bad.tar'), 'busybox'], { stdio: 'ignore' });
  const { stderr } = everyday.delos(...isolated, context.folder);
  assert.match(stderr, /^delos: build: Dockerfile:8: ADD bad.tar \/out: the layer has the name [^\n]*leads out of its root\n$/);
  context.write('Dockerfile', fs.readFileSync(path.join(context.folder, 'Dockerfile'), 'utf8').replace(/ADD.*\n/, ''));
  everyday.output(...isolated, '-t', 'links', context.folder);
  assert.deepEqual(fs.readdirSync(outside), ['secret']);
  const list = ['run', '--rm', '--network', 'none', 'links', '/bin/sh', '-c', `readlink /folder/link; ls ${outside}`];
  assert.equal(everyday.output(...list), `${outside}\nbusybox\none\n`);
});

test('files of every kind come with a stage, with their owners; sockets do not', { skip }, async () => {
  await using everyday = new Everyday();
  using context = new BuildContext([
    ...shellStage, 'FROM base AS made', 'RUN mkdir /k && cd /k && mkfifo f && ln -s nowhere l && echo x > h && ln h h2 && chown 3:4 h && chmod 4711 h && mkdir -m 1711 d',
    'FROM base', 'COPY --from=made /k /k', 'FROM made AS opaque', 'RUN rm -r /k/d && mkdir /k/d && rm /k/f && echo y > /k/d/new', 'FROM base', 'COPY --from=opaque /k /k',
  ]);
  everyday.output(...isolated, '--target', '2', '-t', 'kinds', context.folder);
  everyday.output(...isolated, '-t', 'opaque', context.folder);
  const list = (image: string): string => everyday.output('run', '--rm', '--network', 'none', image, '/bin/sh', '-c', 'PATH=/bin; cd /k; find . | sort | xargs stat -c "%n %F %u %g %a"');
  const plain = ['. directory 0 0 755', './d directory 0 0 1711', './f fifo 0 0 644', './h regular file 3 4 4711', './h2 regular file 3 4 4711', './l symbolic link 0 0 777', ''];
  assert.equal(list('kinds'), plain.join('\n'));
  assert.equal(list('opaque'), ['. directory 0 0 755', './d directory 0 0 755', './d/new regular file 0 0 644', ...plain.slice(3)].join('\n'));
});
