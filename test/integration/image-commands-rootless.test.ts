// The commands about images for a user whom nothing was given: no subordinate ids, no mounts, no cgroups.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { busyboxTar } from '../support/busybox-image.ts';
import { skipUnless } from '../support/skip.ts';

const build = path.resolve(import.meta.dirname, '../../build');
const skip = skipUnless('root', 'setpriv', 'user namespaces', 'busybox');

/** `delos` as nobody, with a home of its own. */
class Nobody implements Disposable {
  readonly home = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-rootless-'));
  readonly tar = busyboxTar(this.home);

  constructor() {
    for (const name of ['run', 'data']) fs.mkdirSync(path.join(this.home, name));
    for (const name of ['', 'run', 'data']) fs.chownSync(path.join(this.home, name), 65534, 65534);
    fs.chmodSync(this.home, 0o755);
  }

  call(...words: readonly string[]): { readonly status: number | null; readonly stdout: Buffer; readonly stderr: Buffer } {
    const delos = [path.join(build, 'node'), path.join(build, 'delos.cjs'), ...words];
    return spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', ...delos], {
      cwd: this.home, timeout: 30_000, maxBuffer: 1 << 28,
      env: { PATH: process.env['PATH'], HOME: this.home, XDG_RUNTIME_DIR: path.join(this.home, 'run'), XDG_DATA_HOME: path.join(this.home, 'data') },
    });
  }

  output(...words: readonly string[]): string {
    const { status, stdout, stderr } = this.call(...words);
    assert.equal(status, 0, `delos ${words.join(' ')}: ${stderr.toString()}`);
    return stdout.toString();
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.home, { recursive: true, force: true });
  }
}

test('an ordinary user: import, diff, commit, export, cp and prune', { skip }, () => {
  using nobody = new Nobody();
  const run = ['run', '--network=none', '--name'];
  nobody.output('import', '-c', 'CMD ["sh"]', '-c', 'ENV PATH=/bin', nobody.tar, 'base');
  nobody.output(...run, 'work', 'base', 'sh', '-c', 'echo new > /etc/new; rm /etc/motd');
  assert.equal(nobody.output('diff', 'work'), 'C /etc\nD /etc/motd\nA /etc/new\n');
  nobody.output('commit', '-c', 'CMD ["cat", "/etc/new"]', 'work', 'made');
  assert.equal(nobody.output(...run, 'again', '--rm', 'made'), 'new\n');
  const exported = nobody.call('export', 'work').stdout;
  const listed = spawnSync('tar', ['-tv', '--numeric-owner'], { input: exported, encoding: 'utf8' }).stdout.split('\n');
  assert.ok(listed.some((line) => / 0\/0 .* etc\/new$/.test(line)), listed.join('\n'));
  assert.ok(!listed.some((line) => line.endsWith('etc/motd')));
  assert.match(nobody.call('cp', 'work:/etc/new', 'out').stderr.toString(), /^delos: container work has a user namespace of its own: .*start it first\n$/);

  nobody.output(...run, 'live', '-d', 'base', 'sh', '-c', 'echo live > /live; while :; do sleep 1; done');
  for (let tries = 0; nobody.call('exec', 'live', 'cat', '/live').stdout.length === 0 && tries < 50; tries++);
  nobody.output('cp', 'live:/live', 'out');
  assert.equal(fs.readFileSync(path.join(nobody.home, 'out'), 'utf8'), 'live\n');
  nobody.output('cp', 'out', 'live:/etc/in');
  assert.match(nobody.output('exec', 'live', 'stat', '-c', '%u %s', '/etc/in'), /^0 5\n$/);
  assert.match(nobody.output('commit', 'live'), /^sha256:[0-9a-f]{64}\n$/);
  nobody.output('rm', '-f', 'live', 'work');
  nobody.output('system', 'prune', '-af');
  assert.deepEqual(fs.readdirSync(path.join(nobody.home, 'data/delos/blobs/sha256')), []);
  assert.deepEqual(fs.readdirSync(path.join(nobody.home, 'data/delos/unpacking')), []);
});
