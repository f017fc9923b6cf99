// `delos build` that fails, is stopped or killed: one line, and nothing left but the steps that were done.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { BuildContext, shellStage } from '../support/build-context.ts';
import { until } from '../support/container.ts';
import { ended, Everyday } from '../support/everyday.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups');
const isolated = ['build', '--network', 'none'];

/** What a build works in; images and steps apart. */
function remains({ data }: Everyday): string[] {
  const names = (folder: string): string[] => (fs.existsSync(path.join(data, folder)) ? fs.readdirSync(path.join(data, folder)) : []);
  return [...names('containers'), ...names('names'), ...names('unpacking'), ...names('leases'), ...names('partial'), ...names('build').filter((name) => name.startsWith('.'))];
}

test('a command that fails: place, instruction and exit code in one line; the steps before it are kept', { skip }, async () => {
  const before = leaks();
  {
    await using everyday = new Everyday();
    using context = new BuildContext([...shellStage, 'RUN echo so far > /x', '', 'RUN echo output; \\', '  exit 3', 'RUN echo never']);
    const { status, stdout, stderr } = everyday.delos(...isolated, '-t', 'x', context.folder);
    assert.deepEqual([status, stdout, stderr.split('\n').slice(-3)], [1, '', ['output', 'delos: build: Dockerfile:6: RUN echo output;   exit 3: exit code 3', '']]);
    assert.deepEqual(remains(everyday), []);
    assert.match(everyday.delos(...isolated, context.folder).stderr, /RUN echo so far > \/x: CACHED/);
    assert.equal(everyday.output('images', '-q'), '');
    // A quiet one says only what the command that failed has said.
    assert.equal(everyday.delos(...isolated, '-q', context.folder).stderr, 'output\ndelos: build: Dockerfile:6: RUN echo output;   exit 3: exit code 3\n');
    context.write('Dockerfile', 'FROM scratch\nRUN ["/none"]\n');
    assert.match(everyday.delos(...isolated, context.folder).stderr, /^delos: build: Dockerfile:2: RUN \["\/none"\]: [^\n]*no such file or directory$/m);
    assert.deepEqual(remains(everyday), []);
  }
  await assertNoLeaks(before);
});

test('what is wrong is told in one line with its place', { skip }, async () => {
  await using everyday = new Everyday();
  const wrong: readonly (readonly [lines: readonly string[], message: string])[] = [
    [['FROM scratch', 'RNU x'], 'Dockerfile:2: unknown instruction RNU: did you mean RUN?'],
    [['FROM scratch', 'COPY busybox'], 'Dockerfile:2: COPY busybox: expected what to copy, and where to'],
    [['FROM scratch', 'COPY nothing /'], 'Dockerfile:2: COPY nothing /: nothing is not in the context'],
    [['FROM scratch', 'COPY out /'], 'Dockerfile:2: COPY out /: out is not in the context, as .dockerignore leaves it out'],
    [['FROM scratch', 'COPY busybox Dockerfile /x'], 'Dockerfile:2: COPY busybox Dockerfile /x: several things are to be copied: expected a folder as target, /x/'],
    [['FROM scratch', 'COPY busybox /x', 'COPY Dockerfile /x/'], 'Dockerfile:3: COPY Dockerfile /x/: /x/ is no folder in the image'],
    [['FROM scratch', 'COPY busybox /x/y/', 'COPY Dockerfile /x/y/busybox/z'], 'Dockerfile:3: COPY Dockerfile /x/y/busybox/z: /x/y/busybox is no folder in the image'],
    [['FROM scratch', 'COPY busybox /x/', 'WORKDIR /x/busybox'], 'Dockerfile:3: WORKDIR /x/busybox: /x/busybox is no folder in the image'],
    [['FROM scratch', 'COPY --form=a b c'], 'Dockerfile:2: COPY --form=a b c: --form is not supported for COPY: did you mean --from?'],
    [['FROM scratch', 'COPY --chmod=u+x busybox /'], 'Dockerfile:2: COPY --chmod=u+x busybox /: --chmod=u+x: expected octal digits such as 0755'],
    [['FROM scratch', 'COPY --chown=who busybox /'], 'Dockerfile:2: COPY --chown=who busybox /: unable to find user who: no matching entries in passwd file'],
    [['FROM scratch AS a', 'COPY --from=B a b', 'FROM scratch AS b', 'COPY --from=a x y'], 'Dockerfile:2: COPY --from=B a b: --from=B: that stage is not before this one'],
    [['FROM scratch', 'ADD git@example.org:a/b.git /'], 'Dockerfile:2: ADD git@example.org:a/b.git /: git@example.org:a/b.git is a repository: ADD takes files of the context and of http and https; get it with RUN'],
    [['FROM scratch', 'ADD --checksum=sha256:12 https://example.org/a /'], 'Dockerfile:2: ADD --checksum=sha256:12 https://example.org/a /: --checksum=sha256:12: expected sha256: and 64 hexadecimal digits'],
    [['FROM scratch', 'RUN --security=insecure true'], 'Dockerfile:2: RUN --security=insecure true: --security is not supported for RUN, only --mount and --network'],
    [['FROM scratch', 'RUN []'], 'Dockerfile:2: RUN []: expected a command'],
    [['FROM scratch', 'ENV A="${B:?is needed}"'], 'Dockerfile:2: ENV A="${B:?is needed}": B: is needed'],
    [['FROM scratch', 'CMD "', 'EXPOSE "'], "Dockerfile:3: EXPOSE \": '\"': \" is not closed"],
    [['FROM Not/Valid:?'], "Dockerfile:1: FROM Not/Valid:?: invalid image name 'Not/Valid:?'"],
    [['COPY a b'], 'Dockerfile: expected a FROM'],
  ];
  const files = { 'out': '', '.dockerignore': 'out\n' };
  for (const [lines, message] of wrong) {
    using context = new BuildContext(lines, files);
    const { status, stdout, stderr } = everyday.delos(...isolated, '-q', context.folder);
    assert.equal(`${status} ${stdout}${stderr.slice(0, `delos: build: ${message}`.length)}`, `1 delos: build: ${message}`);
    assert.equal(stderr.trimEnd().includes('\n'), false, stderr);
  }
  using context = new BuildContext(['FROM scratch AS only', 'LABEL a=b']);
  const words: readonly (readonly [words: readonly string[], status: number, message: RegExp])[] = [
    [['/none'], 1, /the context \/none is not there/], [[path.join(context.folder, 'busybox')], 1, /is a file: expected a folder/], [['https://example.org/x.git'], 1, /is remote/],
    [['-f', '/none', context.folder], 1, /--file \/none: cannot be read: ENOENT/], [[everyday.data], 1, /has no Dockerfile/], [['--target', 'x', context.folder], 1, /there is no stage x: expected one of only/],
    [['-t', 'A b', context.folder], 125, /invalid image name/], [['--progress', 'x', context.folder], 125, /--progress 'x'/], [['--network', 'container:x', context.folder], 125, /--network 'container:x'/],
    [['--platform', 'a/b/c/d', context.folder], 125, /invalid platform/], [['--build-arg', '=1', context.folder], 125, /invalid environment variable/], [['--label', '=1', context.folder], 125, /--label '=1'/],
    [['--build-arg', 'SOURCE_DATE_EPOCH=x', context.folder], 125, /expected seconds since 1970/], [['--iidfile', '/none/x', context.folder], 1, /--iidfile \/none\/x: cannot be written: ENOENT/],
    [['-f', '-', '-'], 1, /both read stdin/],
  ];
  for (const [given, status, message] of words) {
    const outcome = everyday.delos('build', '-q', ...given);
    assert.deepEqual([outcome.status, outcome.stderr.split('\n').length], [status, 2], `${given.join(' ')}: ${outcome.stderr}`);
    assert.match(outcome.stderr, message);
  }
  assert.match(everyday.delos(...isolated, '--build-arg', 'TYPO=1', context.folder).stderr, /^delos: build: no ARG names --build-arg TYPO$/m);
  assert.deepEqual(remains(everyday), []);
});

/** Starts a build of which a command says that it has begun. */
async function startUntilBegun(everyday: Everyday, { folder }: BuildContext): Promise<{ child: ReturnType<Everyday['start']>; said: () => string }> {
  const child = everyday.start(...isolated, folder);
  let stderr = '';
  child.stderr?.on('data', (data: Buffer) => (stderr += data.toString()));
  await until('the command has begun', () => stderr.includes('\nbegun\n'));
  return { child, said: () => stderr };
}

for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
  test(`${signal} stops a build and its command, and nothing is left`, { skip }, async () => {
    const before = leaks();
    {
      await using everyday = new Everyday();
      using context = new BuildContext([...shellStage, 'RUN echo begun; sleep 1000']);
      const running = await startUntilBegun(everyday, context);
      running.child.kill(signal);
      assert.equal(await ended(running.child), code);
      assert.match(running.said(), new RegExp(`\nbegun\ndelos: build: stopped by ${signal}\n$`));
      assert.deepEqual(remains(everyday), []);
    }
    await assertNoLeaks(before);
  });
}

test('a build that is killed: the next one clears up after it, and so does prune', { skip }, async () => {
  const before = leaks();
  {
    await using everyday = new Everyday();
    using context = new BuildContext([...shellStage, 'RUN echo begun; sleep 1000']);
    using other = new BuildContext(['FROM scratch', 'LABEL a=b']);
    const kill = async (): Promise<void> => {
      const { child } = await startUntilBegun(everyday, context);
      child.kill('SIGKILL');
      await ended(child);
      assert.equal(everyday.names().length, 1);
    };
    await kill();
    // One that runs meanwhile is not disturbed.
    everyday.output(...isolated, other.folder);
    assert.deepEqual(everyday.names(), []);
    await kill();
    everyday.output('kill', ...everyday.names());
    everyday.output('system', 'prune', '-af');
    assert.deepEqual(everyday.names(), []);
    everyday.output(...isolated, other.folder);
    assert.deepEqual(remains(everyday).filter((name) => !name.startsWith('.running')), []);
  }
  await assertNoLeaks(before);
});

test('builds at once do not disturb each other', { skip }, async () => {
  await using everyday = new Everyday();
  using context = new BuildContext([...shellStage, 'RUN sleep 0.5; echo x > /x', 'CMD ["/bin/cat", "/x"]']);
  const children = ['a', 'b', 'c'].map((name) => everyday.start(...isolated, '-q', '-t', name, context.folder));
  assert.deepEqual(await Promise.all(children.map(ended)), [0, 0, 0]);
  for (const name of ['a', 'b', 'c']) assert.equal(everyday.output('run', '--rm', '--network', 'none', name), 'x\n');
  assert.deepEqual(remains(everyday), []);
});
