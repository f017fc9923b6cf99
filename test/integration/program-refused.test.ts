// A program that is there, and that the kernel will not execute: who is told, and what it is told.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { create } from '../../src/library/create.ts';
import { makeBundle, script, type ConfigChange } from '../support/bundle.ts';
import { attempt, launch } from '../support/container.ts';
import { storeRoot } from '../support/delos.ts';
import { newId } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups');

/** More than a string of argv or envp may have, MAX_ARG_STRLEN of execve(2). */
const LONG = 'x'.repeat(128 * 1024);

interface Refused {
  readonly what: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly reason: string;
}

const tooLong = 'argument list too long';
const refused: readonly Refused[] = [
  { what: 'an argument that is too long, a path', args: ['/bin/echo', LONG], env: [], reason: tooLong },
  // It is in the first, a middle and the last folder.
  ...['/bin:/sbin', '/sbin:/bin:/usr/bin', '/sbin:/bin'].flatMap((PATH): Refused[] => [
    { what: `an argument that is too long, PATH=${PATH}`, args: ['echo', LONG], env: [`PATH=${PATH}`], reason: tooLong },
    { what: `a variable that is too long, PATH=${PATH}`, args: ['echo', 'hi'], env: [`PATH=${PATH}`, `LONG=${LONG}`], reason: tooLong },
    { what: `a script that does not name its interpreter, PATH=${PATH}`, args: ['bare'], env: [`PATH=${PATH}`], reason: 'exec format error' },
    { what: `a script whose interpreter is missing, PATH=${PATH}`, args: ['lost'], env: [`PATH=${PATH}`], reason: 'no such file or directory' },
  ]),
];

function image(rootfs: string): void {
  for (const [name, line] of [['bare', 'echo hi\n'], ['lost', '#!/no/such/shell\n']] as const) fs.writeFileSync(path.join(rootfs, 'bin', name), line, { mode: 0o755 });
}

function configured({ args, env }: Refused): ConfigChange {
  return (config) => ({ ...config, process: { ...config.process, args, env: [...config.process.env.filter((entry) => !entry.startsWith('PATH=')), ...env] } });
}

for (const row of refused) {
  const { what, args: [name = ''], reason } = row;
  test(`${what}: after start it is told on the container's stderr, and the exit code is 255`, { skip }, async () => {
    using bundle = makeBundle(configured(row));
    image(bundle.rootfs);
    await using container = await create({ image: bundle.path, id: newId(), root: storeRoot });
    const [said] = await Promise.all([text(container.stderr), container.start()]);
    assert.equal(said, `exec ${name}: ${reason}\n`);
    assert.equal((await container.wait()).exitCode, 255);
  });

  // Of `run` it is another way through the same steps, and each takes a second.
  if (row.env.length !== 1 || row.reason !== tooLong) continue;
  test(`${what}: run refuses it`, { skip }, async () => {
    const { status, stdout, stderr } = await attempt({ config: configured(row), image });
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, new RegExp(`^time="[^"]+" level=error msg="process\\.args\\[0\\]: exec: [^\n]*${name}[^\n]*${reason}[^\n]*"\n$`));
  });
}

test('exec refuses a program whose argument is too long, wherever in PATH it is', { skip }, () => {
  using bundle = makeBundle(script('exec sleep 300'));
  using container = launch(bundle);
  const processFile = path.join(bundle.path, 'process.json');
  for (const PATH of ['/bin:/sbin', '/sbin:/bin']) {
    fs.writeFileSync(processFile, JSON.stringify({ cwd: '/', args: ['echo', LONG], env: [`PATH=${PATH}`] }));
    const { status, stderr } = container.exec(['--process', processFile], []);
    assert.equal(status, 255);
    assert.match(stderr, /process\.args\[0\]: exec: [^\n]*echo[^\n]*argument list too long/);
  }
});
