import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { DelosError } from '../../src/lib/errors.ts';
import { createContainer } from '../../src/runtime/create.ts';
import { deleteContainer } from '../../src/runtime/delete.ts';
import type { CreateRequest } from '../../src/runtime/requests.ts';
import { startContainer } from '../../src/runtime/start.ts';
import { makeBundle, script, type Bundle, type ConfigChange, type TestConfig } from '../support/bundle.ts';
import { CutPlan } from '../support/cut-plan.ts';
import { runDelos, storeRoot } from '../support/delos.ts';
import { assertNoLeaks, leaks, type Leaks } from '../support/leaks.ts';
import { marker, newId } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups');

function requestFor(bundle: Bundle): CreateRequest {
  return { root: storeRoot, id: newId(), bundle: bundle.path, systemdCgroup: false, preserveFds: 0, noPivot: false, noNewKeyring: false };
}

/** What is there when the executor's file has been opened, which then stays so. */
async function settled(): Promise<Leaks> {
  using bundle = makeBundle();
  const request = requestFor(bundle);
  await createContainer(request);
  await deleteContainer(request.root, request.id, { force: true });
  return leaks();
}

test('the kernel refuses any fifth step: create fails and leaves nothing by itself', { skip }, async (context) => {
  const before = await settled();
  using bundle = makeBundle();
  let [count, refused] = [1, 0];
  for (let step = 0; step < count; step += 5) {
    const [place, request] = [new CutPlan(step, 'refused'), requestFor(bundle)];
    const error = await createContainer(request, place).then(() => undefined, (reason: unknown) => reason);
    count = place.count;
    if (error === undefined) {
      // A step that only fails when the container is started, or that is not come to.
      await startContainer(request.root, request.id).catch(() => undefined);
      await deleteContainer(request.root, request.id, { force: true });
    } else {
      refused++;
      assert.ok(error instanceof DelosError && !error.message.includes('\n'), String(error));
    }
    await assertNoLeaks(before);
  }
  assert.ok(refused > 0);
  context.diagnostic(`of ${count} steps; ${refused} times create failed`);
});

const hook = (list: string, ...words: string[]): ConfigChange => (config) => ({ ...config, hooks: { [list]: [{ path: words[0], args: words, timeout: 1 }] } });
const linux = (change: object): ConfigChange => (config) => ({ ...config, linux: { ...config.linux, ...change } });
const runs = (change: object): ConfigChange => (config) => ({ ...config, process: { ...config.process, ...change } });
const mount = (change: object): ConfigChange => (config) => ({ ...config, mounts: [...config.mounts, { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', ...change }] });

/** In the order in which making a container comes to them. */
const failures: readonly [what: string, change: ConfigChange, message: RegExp][] = [
  ['a seccomp architecture that is none', linux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_VAX'] } }), /linux\.seccomp\.architectures/],
  ['a cgroup that cannot be made', linux({ cgroupsPath: `/cgroup.procs/${marker}` }), /linux\.cgroupsPath.*mkdir.*ENOTDIR/],
  ['a cgroup with too long a path', linux({ cgroupsPath: `/${marker}/${'long/'.repeat(1000)}` }), /linux\.cgroupsPath: expected a path of at most/],
  ['a cgroup with somebody in it', linux({ cgroupsPath: '/' }), /linux\.cgroupsPath/],
  ['a limit that the kernel refuses', linux({ resources: { cpu: { cpus: '4000' } } }), /linux\.resources\.cpu\.cpus/],
  ['a limit of a resource above the hard one', runs({ rlimits: [{ type: 'RLIMIT_NOFILE', soft: 10, hard: 2 ** 40 }] }), /process\.rlimits\[0\]/],
  ['a namespace that is not there', linux({ namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'network', path: '/proc/self/ns/no' }] }), /linux\.namespaces\[2\]/],
  ['a hook before the mounts that fails', hook('createRuntime', '/bin/false'), /hooks\.createRuntime\[0\]: the program exited with 1/],
  ['a hook that is not there', hook('createRuntime', '/bin/no-such-hook'), /hooks\.createRuntime\[0\]/],
  ['a hook that hangs', hook('createRuntime', '/bin/sleep', '100'), /hooks\.createRuntime\[0\]: the program did not end/],
  ['a mount source that is not there', mount({ type: 'bind', source: '/no/such/source', options: ['bind'] }), /mounts\[\d+\]/],
  ['a mount option that is none', mount({ options: ['size=much'] }), /mounts\[\d+\]/],
  ['a hook after the mounts that fails', hook('createContainer', '/bin/false'), /hooks\.createContainer\[0\]: the program exited with 1/],
  ['a sysctl that the kernel refuses', linux({ sysctl: { 'kernel.shmmax': 'much' } }), /linux\.sysctl/],
  ['a working directory that is a file', runs({ cwd: '/etc/passwd' }), /process\.cwd/],
  ['a program that is not there', runs({ args: ['/no/such/program'] }), /process\.args\[0\]/],
  ['a program that may not be executed', runs({ args: ['/etc/passwd'] }), /process\.args\[0\]/],
];

test('create fails, and nothing is left', { skip }, async (context) => {
  const before = await settled();
  using bundle = makeBundle();
  for (const [what, change, message] of failures) {
    await context.test(what, async () => {
      bundle.configure(change);
      const request = requestFor(bundle);
      await assert.rejects(createContainer(request), (error: Error) => error instanceof DelosError && !error.message.includes('\n') && message.test(error.message));
      assert.equal(fs.existsSync(path.join(request.root, request.id)), false);
      await assertNoLeaks(before);
    });
  }
});

/** A small file system of its own. */
function tmpfs(options: string): Disposable & { readonly path: string } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `${marker}-full-`));
  assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status, 0);
  return {
    path: folder,
    [Symbol.dispose]: () => {
      assert.equal(spawnSync('umount', [folder]).status, 0);
      fs.rmdirSync(folder);
    },
  };
}

/** tmpfs(5): size counts in pages of 4 KiB; an inode is its root's. */
for (const options of ['nr_inodes=1', 'nr_inodes=2', 'nr_inodes=3', 'size=4k', 'size=8k']) {
  test(`a state folder on a full disk (${options}): it works, or one clear line and nothing is left`, { skip }, async () => {
    const before = leaks();
    using bundle = makeBundle(script('exit 7', large));
    {
      using root = tmpfs(options);
      const id = newId();
      const { status, stderr } = runDelos(['run', id], { bundle, root: root.path });
      if (status !== 7) {
        assert.equal(status, 1);
        assert.match(stderr, /^time="[^"]+" level=error msg="[^\n]*ENOSPC[^\n]*"\n$/);
      }
      assert.deepEqual(fs.readdirSync(root.path), []);
    }
    await assertNoLeaks(before);
  });
}

/** Its record takes three pages. */
function large(config: TestConfig): TestConfig {
  return { ...config, annotations: { padding: 'x'.repeat(5000 - JSON.stringify(config).length % 4096) } };
}
