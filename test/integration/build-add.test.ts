// ADD of what is elsewhere or packed in another program's way.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { digestOf } from '../../src/registry/digest.ts';
import { BuildContext, shellStage } from '../support/build-context.ts';
import { ended, Everyday } from '../support/everyday.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups');

/** Builds while this process goes on to serve. */
async function build(everyday: Everyday, ...words: string[]): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const child = everyday.start('build', '--network', 'none', ...words);
  let stderr = '';
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  return { code: await ended(child), stderr };
}

/** A server on the loopback. @returns the beginning of its URLs */
async function serve(context: TestContext, answer: http.RequestListener): Promise<string> {
  const server = http.createServer(answer).listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a URL is downloaded, followed, held against its checksum, and not fetched into another image when it changes', { skip }, async (context) => {
  await using everyday = new Everyday();
  let content = 'from afar\n';
  const origin = await serve(context, ({ url }, response) => {
    if (url === '/moved') return response.writeHead(302, { Location: '/real/file.txt' }).end();
    if (url === '/circle') return response.writeHead(302, { Location: '/circle' }).end();
    if (url === '/cut') return response.writeHead(200, { 'Content-Length': '100' }).write('only this', () => response.destroy()) as unknown as typeof response;
    if (url?.startsWith('/real/') !== true) return response.writeHead(404).end();
    return response.writeHead(200, { 'Last-Modified': 'Mon, 01 Jan 2001 00:00:00 GMT' }).end(content);
  });
  using folder = new BuildContext([
    ...shellStage, `ADD --chown=5:6 ${origin}/real/file.txt ${origin}/real/two.txt?x=1 /in/`, `ADD --checksum=${digestOf(content)} --chmod=644 ${origin}/moved /named`, 'RUN stat -c "%u:%g:%a:%Y %n" /in/* /named > /seen',
  ]);
  const first = await build(everyday, '-t', 'made', folder.folder);
  assert.equal(first.code, 0, first.stderr);
  assert.equal(everyday.output('run', '--rm', '--network=none', 'made', '/bin/cat', '/named', '/in/two.txt', '/seen'), `${content}${content}5:6:600:978307200 /in/file.txt\n5:6:600:978307200 /in/two.txt\n0:0:644:978307200 /named\n`);
  assert.match((await build(everyday, '-t', 'made', folder.folder)).stderr, /ADD --chown.*: CACHED/);
  content = 'another thing\n';
  assert.match((await build(everyday, '-t', 'made', folder.folder)).stderr, /expected sha256:[0-9a-f]{64}, found sha256:[0-9a-f]{64}\n$/);
  for (const [place, message] of [['/circle', /more than 20 redirects/], ['/cut', /the connection was cut/], ['/none', /expected status 200, found 404/]] as const) {
    folder.write('Dockerfile', [...shellStage, `ADD ${origin}${place} /x`].join('\n'));
    assert.match((await build(everyday, folder.folder)).stderr, message);
  }
  folder.write('Dockerfile', [...shellStage, `ADD ${origin}/real/ /x/`].join('\n'));
  assert.match((await build(everyday, folder.folder)).stderr, /the URL has no name for a file: expected one as target/);
  assert.deepEqual(fs.readdirSync(path.join(everyday.data, 'unpacking')), []);
});

for (const [program, flag, ending] of [['xz', '-J', 'xz'], ['bzip2', '-j', 'bz2']] as const) {
  test(`an archive of ${program} is unpacked`, { skip: skip || skipUnless(program) }, async () => {
    await using everyday = new Everyday();
    using folder = new BuildContext([...shellStage, `ADD made.tar.${ending} /unpacked/`, `COPY made.tar.${ending} /copied`], { 'inside/file': 'packed\n' });
    execFileSync('tar', [flag, '-C', path.join(folder.folder, 'inside'), '-cf', path.join(folder.folder, `made.tar.${ending}`), '.']);
    const { code, stderr } = await build(everyday, '-t', 'made', folder.folder);
    assert.equal(code, 0, stderr);
    assert.equal(everyday.output('run', '--rm', '--network=none', 'made', '/bin/cat', '/unpacked/file'), 'packed\n');
    assert.equal(everyday.output('run', '--rm', '--network=none', 'made', '/bin/stat', '-c', '%F', '/copied'), 'regular file\n');
    fs.writeFileSync(path.join(folder.folder, `made.tar.${ending}`), 'BZh and no archive');
    assert.equal((await build(everyday, '-t', 'made', folder.folder)).code, 0, 'what only looks like an archive is a file');
  });
}
