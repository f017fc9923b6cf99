import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { runHooks } from '../../src/runtime/hooks.ts';
import type { OciState } from '../../src/runtime/state.ts';
import { makeBundle } from '../support/bundle.ts';
import { runDelos } from '../support/delos.ts';
import { newId } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const state: OciState = { ociVersion: '1.3.0', id: 'one', status: 'running', pid: 7, bundle: '/b' };

function fileFor(context: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-hooks-'));
  context.after(() => fs.rmSync(folder, { recursive: true }));
  return path.join(folder, 'out');
}

const shell = (script: string): { path: string; args: string[] } => ({ path: '/bin/sh', args: ['sh', '-c', script] });

test('no hooks, nothing done', async () => {
  await runHooks('poststart', undefined, state);
  await runHooks('poststart', [], state);
});

test('each gets the state on stdin, in the order of the list', async (context) => {
  const file = fileFor(context);
  const hooks = [shell(`sleep 0.05; { echo first; cat; } >> ${file}`), shell(`{ echo; echo second; cat /dev/stdin; } >> ${file}`)];
  await runHooks('poststart', hooks, state);
  const text = JSON.stringify(state);
  assert.equal(fs.readFileSync(file, 'utf8'), `first\n${text}\nsecond\n${text}`);
});

test('the first that fails is the last', async (context) => {
  const file = fileFor(context);
  const hooks = [shell('exit 0'), shell('exit 3'), shell(`echo third > ${file}`)];
  await assert.rejects(runHooks('poststart', hooks, state), {
    code: 'hook-failed', message: 'hooks.poststart[1] (/bin/sh): exited with 3', detail: { field: '/hooks/poststart/1' },
  });
  assert.equal(fs.existsSync(file), false);
});

test('args[0] is argv[0], and without args it is the path', async (context) => {
  const file = fileFor(context);
  await runHooks('poststop', [{ path: '/bin/sh', args: ['other name', '-c', `tr '\\0' '|' < /proc/$$/cmdline > ${file}`] }], state);
  assert.match(fs.readFileSync(file, 'utf8'), /^other name\|-c\|/);
  const script = `${file}.sh`;
  fs.writeFileSync(script, `#!/bin/sh\nprintf %s "$0|$#" > ${file}\n`, { mode: 0o755 });
  await runHooks('poststop', [{ path: script }], state);
  assert.equal(fs.readFileSync(file, 'utf8'), `${script}|0`);
});

test('the environment is the one given and nothing else', async (context) => {
  const file = fileFor(context);
  const record = `tr '\\0' '\\n' < /proc/self/environ > ${file}`;
  await runHooks('poststart', [{ ...shell(record), env: ['PATH=/bin:/usr/bin', 'A=b=c', 'EMPTY='] }], state);
  const names = fs.readFileSync(file, 'utf8').trim().split('\n').filter((line) => !/^(PWD|_|OLDPWD|SHLVL)=/.test(line)).toSorted();
  assert.deepEqual(names, ['A=b=c', 'EMPTY=', 'PATH=/bin:/usr/bin']);
  await runHooks('poststart', [shell(`test "$HOME$USER$DELOS" = ""`)], state);
});

test('a hook that does not read a state of 8 MiB is no failure, and one that does gets all of it', async (context) => {
  const file = fileFor(context);
  const large = { ...state, annotations: { a: 'x'.repeat(8 * 2 ** 20) } };
  await runHooks('poststart', [{ path: '/bin/true' }, shell('exec 0<&-; exit 0'), shell(`wc -c > ${file}`)], large);
  assert.equal(Number(fs.readFileSync(file, 'utf8')), JSON.stringify(large).length);
});

test('a hook that takes too long is killed; a long timeout is none', async () => {
  await assert.rejects(runHooks('poststop', [{ ...shell('exec sleep 1000'), timeout: 0.05 }], state), {
    code: 'hook-failed', message: 'hooks.poststop[0] (/bin/sh): did not end within 0.05 s and was killed',
  });
  await runHooks('poststop', [{ ...shell('exec sleep 0.05'), timeout: 2 ** 40 }], state);
});

test('a hook that dies or cannot be started says how', async (context) => {
  const file = fileFor(context);
  fs.writeFileSync(file, '');
  const failure = (hook: { path: string; args?: string[] }): Promise<unknown> => runHooks('poststart', [hook], state).then(() => 'no failure', (error: unknown) => (error as Error).message);
  assert.equal(await failure(shell('kill -9 $$')), 'hooks.poststart[0] (/bin/sh): was killed by SIGKILL');
  assert.equal(await failure({ path: '/no/such' }), 'hooks.poststart[0] (/no/such): could not be started: ENOENT');
  assert.equal(await failure({ path: file }), `hooks.poststart[0] (${file}): could not be started: EACCES`);
});

test('what a hook prints goes to stderr', async () => {
  const program = `import { runHooks } from ${JSON.stringify(path.resolve(import.meta.dirname, '../../src/runtime/hooks.ts'))};
    await runHooks('poststart', [{ path: '/bin/sh', args: ['sh', '-c', 'echo out; echo err >&2'] }], ${JSON.stringify(state)});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err] = [child.stdout, child.stderr].map((stream) => stream.toArray());
  await once(child, 'close');
  assert.equal(Buffer.concat((await out) ?? []).toString(), '');
  assert.equal(Buffer.concat((await err) ?? []).toString(), 'out\nerr\n');
});

test('no descriptor is left open', async () => {
  const count = (): number => fs.readdirSync('/proc/self/fd').length;
  await runHooks('poststart', [{ path: '/bin/true' }], state);
  const before = count();
  for (let round = 0; round < 5; round++) {
    await runHooks('poststart', [{ path: '/bin/true' }], state);
    await runHooks('poststart', [{ path: '/no/such' }], state).catch(() => undefined);
  }
  assert.equal(count(), before);
});

test('a hook begins with no signal blocked, although its runtime blocks them', { skip: skipUnless('root', 'busybox', 'cgroups') }, (context) => {
  const file = fileFor(context);
  using bundle = makeBundle((config) => ({ ...config, hooks: { createRuntime: [shell(`exec grep SigBlk /proc/self/status >${file}`)] } }));
  const { status, stderr } = runDelos(['run', newId()], { bundle });
  assert.equal(status, 0, stderr);
  assert.match(fs.readFileSync(file, 'utf8'), /^SigBlk:\s0{16}$/m);
});
