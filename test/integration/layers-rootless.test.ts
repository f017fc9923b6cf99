import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'setpriv', 'unshare', 'tar', 'user namespaces');

/** Unpacks argv[2] into argv[3] with the options in argv[4], and prints the result. */
const program = `
  import fs from 'node:fs';
  const { unpackLayer } = await import(process.argv[1]);
  try {
    console.log(JSON.stringify(await unpackLayer(fs.createReadStream(process.argv[2]), process.argv[3], JSON.parse(process.argv[4]))));
  } catch (error) {
    console.log(JSON.stringify({ name: error.name, message: error.message }));
  }
`;

interface Answer {
  skipped?: { name: string; reason: string }[];
  message?: string;
}

/** A layer with what an ordinary user cannot make, unpacked by nobody; behind `prefix`, the words of a program that runs it. */
function unpackAsNobody(folder: string, prefix: readonly string[], options: object): Answer {
  const root = path.resolve(import.meta.dirname, '../..');
  const words = ['--reuid=65534', '--regid=65534', '--clear-groups', ...prefix, process.execPath, '--input-type=module', '-e', program, path.join(root, 'src/layers/unpack.ts'),
    path.join(folder, 'layer.tar'), path.join(folder, 'into'), JSON.stringify(options)];
  const { stdout, stderr } = spawnSync('setpriv', words, { encoding: 'utf8', cwd: '/', timeout: 30_000 });
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as Answer;
}

function withLayer(use: (folder: string) => void): void {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-rootless-'));
  const script = `mkdir tree into; cd tree; mkdir closed; echo f >closed/f; chmod 500 closed; mknod null c 1 3; echo o >owned; chown 5:6 owned; chmod 4755 owned; mkfifo fifo
    echo >.wh.gone; mkdir opaque; echo >opaque/.wh..wh..opq; cd ..; tar --sort=name -C tree -cf layer.tar .; chown -R 65534:65534 into; chmod -R a+rX .`;
  try {
    assert.equal(spawnSync('sh', ['-ec', script], { cwd: folder }).status, 0);
    use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

test('a user without other ids: everything is his, devices are left out and told, whiteouts are made', { skip }, () => {
  withLayer((folder) => {
    const answer = unpackAsNobody(folder, [], { whiteouts: 'overlay', overlayXattr: 'user', owners: 'mine' });
    assert.deepEqual(answer.skipped, [{ name: './null', reason: 'device 1:3: EPERM' }]);
    const at = (name: string): fs.Stats => fs.lstatSync(path.join(folder, 'into', name));
    assert.deepEqual(fs.readdirSync(path.join(folder, 'into')).sort(), ['closed', 'fifo', 'gone', 'opaque', 'owned']);
    assert.deepEqual([at('owned').uid, at('owned').mode & 0o7777, at('closed').mode & 0o7777, at('gone').isCharacterDevice(), at('gone').rdev], [65534, 0o4755, 0o500, true, 0]);
  });
});

test('the root of a user namespace that maps one id: an owner that is not mapped is said to be', { skip }, () => {
  withLayer((folder) => {
    const answer = unpackAsNobody(folder, ['unshare', '--map-root-user'], { whiteouts: 'overlay', overlayXattr: 'user' });
    assert.equal(answer.message, 'the layer\'s entry "./owned" cannot be made: its owner does not exist in this user namespace');
  });
});

test('a layer over one that has closed folders: they are opened for it, and closed again', { skip }, () => {
  withLayer((folder) => {
    const options = { whiteouts: 'apply', owners: 'mine' };
    assert.equal(unpackAsNobody(folder, [], options).message, undefined);
    assert.equal(unpackAsNobody(folder, [], options).message, undefined);
    assert.equal(spawnSync('sh', ['-ec', 'rm layer.tar; mkdir -p more/closed; echo g >more/closed/g; tar -C more -cf layer.tar closed/g; chmod a+r layer.tar'], { cwd: folder }).status, 0);
    assert.equal(unpackAsNobody(folder, [], options).message, undefined);
    assert.deepEqual(fs.readdirSync(path.join(folder, 'into/closed')), ['f', 'g']);
    assert.equal(fs.statSync(path.join(folder, 'into/closed')).mode & 0o7777, 0o500);
    assert.equal(spawnSync('sh', ['-ec', 'rm layer.tar; touch .wh.closed; tar -cf layer.tar .wh.closed; chmod a+r layer.tar'], { cwd: folder }).status, 0);
    assert.equal(unpackAsNobody(folder, [], options).message, undefined);
    assert.equal(fs.existsSync(path.join(folder, 'into/closed')), false);
  });
});
