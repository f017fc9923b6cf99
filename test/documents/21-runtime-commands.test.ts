/**
 * Number 21, references 2.10.21.a-h, 2.10.17.i: create, start, kill, delete, state, and the hooks between them. What the documents got
 * wrong and is checked right here: create makes nothing but a file and leaves the state Creating; start does all the rest; kill of what
 * does not run is Ok; an id is joined to a path unchecked ("../../x" deletes anything); a hook's args[0] is given as its first argument,
 * its environment is the runtime's.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeBundle, script, type TestConfig } from '../support/bundle.ts';
import { attempt, until } from '../support/container.ts';
import { runDelos, storeRoot } from '../support/delos.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { newId } from '../support/marker.ts';
import { created, noContainers, planned, stateOf, succeeds } from './claims.ts';

/** The message of a command that has to fail. */
function refused(...args: readonly string[]): string {
  const { status, stderr } = runDelos(args);
  assert.equal(status, 1, args.join(' '));
  return /msg="?(.*?)"?\n$/.exec(stderr)?.[1]?.replaceAll('\\"', '"') ?? assert.fail(stderr);
}

const stages = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const;

test('test_runtime_commands', { skip: noContainers }, async (context) => {
  const before = leaks();
  {
    using bundle = makeBundle(script('echo begun > /begun; exec sleep 60'));
    const id = newId();

    await context.test('what is not there is not started, killed, deleted or told of', () => {
      for (const command of ['start', 'kill', 'delete', 'state']) assert.equal(refused(command, id), `container "${id}" does not exist`);
    });

    using container = created(bundle, id);
    const file = path.join(storeRoot, container.id, 'state.json');

    await context.test('create builds all of it and stops before the program; its state is in <root>/<id>/state.json', () => {
      const { pid, status } = stateOf(id);
      assert.equal(status, 'created');
      assert.ok(!fs.existsSync(path.join(bundle.rootfs, 'begun')));
      assert.match(fs.readlinkSync(`/proc/${pid}/exe`), /delos-exec/);
      assert.notEqual(fs.readlinkSync(`/proc/${pid}/ns/mnt`), fs.readlinkSync('/proc/self/ns/mnt'));
      const record = JSON.parse(fs.readFileSync(file, 'utf8')) as { id: string; ociVersion: string; bundle: string };
      assert.deepEqual([record.id, record.ociVersion, record.bundle], [id, '1.3.0', bundle.path]);
      assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    });

    await context.test('an id is taken once', () => {
      assert.equal(refused('create', '--bundle', bundle.path, id), `container with given ID already exists: ${id}`);
      assert.equal(stateOf(id).status, 'created');
    });

    await context.test('start only releases it: what config.json says by now has no effect', async () => {
      const { pid } = stateOf(id);
      bundle.configure(script('echo changed > /changed'));
      succeeds(['start', id]);
      await until('the program', () => fs.existsSync(path.join(bundle.rootfs, 'begun')));
      assert.deepEqual([stateOf(id).status, stateOf(id).pid], ['running', pid]);
      assert.ok(!fs.existsSync(path.join(bundle.rootfs, 'changed')));
      assert.equal(refused('start', id), 'cannot start an already running container');
      assert.match(refused('delete', id), /^cannot delete container .* that is not stopped: running$/);
    });

    await context.test('kill sends a signal by name or number; once it has stopped there is nothing to kill or start', async () => {
      succeeds(['kill', id, '0']);
      assert.match(refused('kill', id, 'FLY'), /^invalid signal 'FLY'/);
      succeeds(['kill', id, 'SIGKILL']);
      await until('its end', () => stateOf(id).status === 'stopped');
      assert.equal(refused('kill', id), 'container not running');
      assert.equal(refused('start', id), 'cannot start a container that has stopped');
      succeeds(['delete', id]);
      assert.ok(!fs.existsSync(path.dirname(file)));
    });
  }
  await assertNoLeaks(before);

  await context.test('an id is a name, not a path', () => {
    for (const id of ['../x', '..', 'a/b', '/etc', '', '.', 'a\nb']) assert.match(refused('delete', '--force', id), /id/i, JSON.stringify(id));
    assert.ok(fs.existsSync('/etc/passwd'));
  });

  await context.test('the plan: namespaces before the cgroup is joined, its namespace after, the root, the program last', () => {
    const calls = planned((config) => config, true).map(({ call, arguments: words }) => `${call} ${Object.values(words).join(' ')}`);
    const places = [/^clone3 /, /^unshare CLONE_NEWCGROUP/, /^pivot_root/, /^capset/, /^read <start>/, /^execve/].map((pattern) => calls.findIndex((line) => pattern.test(line)));
    assert.ok(places.every((place) => place >= 0), places.join(' '));
    assert.deepEqual(places, places.toSorted((a, b) => a - b));
  });

  await context.test('six hooks in their order, each with the state on stdin, its own argv and its own environment', async () => {
    using log = makeBundle();
    const file = path.join(log.path, 'hooks');
    const text = 'echo "$0 $1 $STAGE ${HOME-none} $(sed -E \'s/.*"status":"([a-z]+)".*/\\1/\')"';
    // Those that run in the container's namespaces have its root from startContainer on.
    const hook = (stage: string): object => ({
      path: '/bin/sh', args: ['sh', '-c', `${text} >> ${stage === 'startContainer' ? '/hooks' : file}`, 'argv0', 'first'], env: [`STAGE=${stage}`, 'PATH=/bin:/usr/bin'],
    });
    const { status, stderr } = await attempt({
      config: (config) => {
        const changed = script('echo program >> /hooks; sleep 0.3', (inner: TestConfig) => ({
          ...inner, hooks: Object.fromEntries(stages.map((stage) => [stage, [hook(stage)]])),
          mounts: [...inner.mounts, { destination: '/hooks', type: 'bind', source: file, options: ['bind'] }],
        }))(config);
        fs.writeFileSync(file, '');
        return changed;
      },
    });
    assert.equal(status, 0, stderr);
    const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
    const seen = lines.filter((line) => line !== 'program').map((line) => line.split(' '));
    assert.deepEqual(seen.map(([, , stage]) => stage), [...stages]);
    assert.deepEqual(seen.map(([argv0, first, , home]) => [argv0, first, home].join(' ')), stages.map(() => 'argv0 first none'));
    assert.deepEqual(seen.map((words) => words.at(-1)), ['creating', 'creating', 'creating', 'created', 'running', 'stopped']);
    assert.ok(lines.indexOf('program') > lines.findIndex((line) => line.includes('startContainer')));
  });

  await context.test('a hook that fails before the start ends the container, one that takes too long is killed', async () => {
    const failing = await attempt({ config: script('echo ran', (config) => ({ ...config, hooks: { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', 'exit 3'] }] } })) });
    assert.deepEqual([failing.status, failing.stdout], [1, '']);
    assert.match(failing.stderr, /hooks\.createRuntime\[0\].*3/);
    const slow = await attempt({ config: script('echo ran', (config) => ({ ...config, hooks: { createRuntime: [{ path: '/bin/sleep', args: ['sleep', '60'], timeout: 1 }] } })) });
    assert.deepEqual([slow.status, slow.stdout], [1, '']);
    assert.match(slow.stderr, /hooks\.createRuntime\[0\]/);
  });
});
