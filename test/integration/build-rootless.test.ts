// `delos build` of an ordinary user, who has one id: layers are as root would make them.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { BuildContext, shellStage } from '../support/build-context.ts';
import { skipUnless } from '../support/skip.ts';

const build = path.resolve(import.meta.dirname, '../../build');

test('an ordinary user builds and runs', { skip: skipUnless('root', 'busybox', 'setpriv', 'skopeo', 'user namespaces') }, () => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-rootless-'));
  try {
    fs.mkdirSync(path.join(home, 'run'));
    using context = new BuildContext([
      ...shellStage, 'RUN mkdir /made && echo made > /made/it', 'FROM base', 'COPY --from=0 /made /copied', 'COPY --chown=5:6 data /copied/', 'RUN echo more > /copied/more; rm /bin/zcat',
      'CMD ["/bin/cat", "/copied/it", "/copied/data", "/copied/more"]',
    ], { data: 'data\n' });
    for (const folder of [home, path.join(home, 'run'), context.folder]) fs.chownSync(folder, 65534, 65534);
    const delos = (...words: string[]): string => {
      const { status, stdout, stderr } = spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', path.join(build, 'node'), path.join(build, 'delos.cjs'), ...words], {
        encoding: 'utf8', cwd: '/', env: { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: path.join(home, 'run'), XDG_DATA_HOME: path.join(home, 'data') },
      });
      assert.equal(status, 0, stderr);
      return stdout;
    };
    delos('build', '-q', '-t', 'mine', context.folder);
    assert.equal(delos('run', '--rm', 'mine'), 'made\ndata\nmore\n');
    assert.deepEqual(fs.readdirSync(path.join(home, 'data/delos/containers')), []);
    delos('save', '-o', path.join(home, 'mine.tar'), 'mine');
    execFileSync('skopeo', ['copy', '-q', `docker-archive:${home}/mine.tar`, `dir:${home}/layers`]);
    const { layers } = JSON.parse(fs.readFileSync(path.join(home, 'layers/manifest.json'), 'utf8')) as { layers: { digest: string }[] };
    const list = (index: number): string[] => execFileSync('tar', ['--numeric-owner', '-tvf', path.join(home, 'layers', layers.at(index)?.digest.slice(7) ?? '')], { encoding: 'utf8' })
      .trim().split('\n').map((line) => line.replace(/^\S+ (\S+) .* (\S+)$/, '$1 $2'));
    assert.deepEqual([-3, -2, -1].map(list), [['0/0 copied/', '0/0 copied/it'], ['0/0 copied/', '5/6 copied/data'], ['0/0 bin/', '0/0 bin/.wh.zcat', '0/0 copied/', '0/0 copied/more']]);
  } finally {
    fs.rmSync(home, { recursive: true, force: true });
  }
});
