/**
 * The documents' demonstrations of a whole runtime, run: S2 parts 1, 9 and 12. What they got wrong and is done right here: they print
 * what they were given. Part 13 (virtualization), part 18 (eBPF) belong to later issues: docs/reference/coverage.md.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { spawnSync } from 'node:child_process';
import * as capability from '../../src/abi/capability.ts';
import { makeBundle, script } from '../support/bundle.ts';
import { runDelos, runtime } from '../support/delos.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { marker } from '../support/marker.ts';
import { capable, noContainers, printed, statusLine } from './claims.ts';

test('S2 parts 1 and 12: test-container-001 in a runtime of its own, at a root of its own', { skip: noContainers }, async () => {
  const before = leaks();
  {
    using bundle = makeBundle(script('exec sleep 60'));
    const root = `/run/${marker}-mycontainer`;
    const id = 'test-container-001';
    const [program = '', ...words] = [...runtime, '--root', root, 'create', '--bundle', bundle.path, id];
    assert.equal(spawnSync(program, words, { stdio: 'ignore', env: { ...process.env, DELOS_TEST: marker } }).status, 0);
    const state = (): { status: string; pid: number; id: string } => JSON.parse(runDelos(['state', id], { root }).stdout) as { status: string; pid: number; id: string };
    assert.deepEqual([state().id, state().status], [id, 'created']);
    assert.deepEqual(fs.readdirSync(root), [id]);
    assert.ok(fs.existsSync(path.join(root, id, 'state.json')));
    assert.equal(runDelos(['start', id], { root }).status, 0);
    assert.equal(state().status, 'running');
    assert.ok(fs.existsSync(`/proc/${state().pid}`));
    assert.equal(runDelos(['delete', '--force', id], { root }).status, 0);
    assert.deepEqual(fs.readdirSync(root), []);
    fs.rmdirSync(root);
  }
  await assertNoLeaks(before);
});

test('S2 part 9: the eleven minimal capabilities, by name, are what the kernel gives', { skip: noContainers }, async () => {
  const minimal = [
    'CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FSETID', 'CAP_FOWNER', 'CAP_SETGID', 'CAP_SETUID', 'CAP_SETPCAP', 'CAP_NET_BIND_SERVICE', 'CAP_SYS_CHROOT', 'CAP_KILL',
    'CAP_AUDIT_WRITE',
  ];
  const mask = BigInt(`0x${statusLine(await printed('cat /proc/self/status', capable(...minimal)), 'CapEff')}`);
  const found = Object.entries(capability).filter(([, number]) => mask & (1n << BigInt(number))).map(([name]) => name);
  assert.deepEqual(found.toSorted(), minimal.toSorted());
});
