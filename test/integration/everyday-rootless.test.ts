import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { skipUnless } from '../support/skip.ts';

const build = path.resolve(import.meta.dirname, '../../build');
const skip = skipUnless('root', 'setpriv', 'user namespaces');

/** Runs delos as nobody, whom no file of the host belongs to and who has no subordinate ids. */
function asNobody(home: string, ...words: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', path.join(build, 'node'), path.join(build, 'delos.cjs'), ...words], {
    encoding: 'utf8', cwd: '/', timeout: 30_000, env: { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: path.join(home, 'run'), XDG_DATA_HOME: path.join(home, 'data') },
  });
}

function withHome(use: (home: string) => void): void {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-rootless-'));
  try {
    fs.mkdirSync(path.join(home, 'run'));
    for (const folder of [home, path.join(home, 'run')]) fs.chownSync(folder, 65534, 65534);
    use(home);
  } finally {
    fs.rmSync(home, { recursive: true, force: true });
  }
}

test('an ordinary user runs the host: root inside, a root that can be written, nothing left', { skip }, () => {
  withHome((home) => {
    const { status, stdout, stderr } = asNobody(home, 'run', '--rm', 'host', 'sh', '-c', 'id -u; echo $$; cat /proc/self/uid_map; echo x > /etc/delos-everyday; cat /etc/delos-everyday');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^0\n1\n +0 +65534 +1\nx\n$/);
    assert.equal(fs.existsSync('/etc/delos-everyday'), false);
    assert.deepEqual(fs.readdirSync(path.join(home, 'data/delos/containers')), []);
    assert.deepEqual(fs.readdirSync(path.join(home, 'run/delos')), []);
  });
});

test('an ordinary user: detached, logs, stop, rm', { skip }, () => {
  withHome((home) => {
    assert.equal(asNobody(home, 'run', '-d', '--name', 'mine', 'host', 'sh', '-c', 'echo hello; exec sleep 1000').status, 0);
    assert.equal(asNobody(home, 'ps', '--format', '{{.Names}} {{.State}}').stdout, 'mine running\n');
    assert.equal(asNobody(home, 'stop', '-t', '0', 'mine').stdout, 'mine\n');
    assert.equal(asNobody(home, 'logs', 'mine').stdout, 'hello\n');
    assert.equal(asNobody(home, 'rm', 'mine').stdout, 'mine\n');
    assert.deepEqual(fs.readdirSync(path.join(home, 'data/delos/containers')), []);
  });
});

test('limits that an ordinary user cannot set are said in one line', { skip }, () => {
  withHome((home) => {
    const { status, stderr } = asNobody(home, 'run', '--rm', '--memory', '64m', 'host', 'true');
    assert.equal(status, 0);
    assert.match(stderr, /^delos: limits that cannot be set are left out: --memory [^\n]*\n$/);
  });
});
