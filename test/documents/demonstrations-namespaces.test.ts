/**
 * The documents' demonstrations of namespaces, run: S3 exercises 2.2 to 2.4, S2 parts 2 and 6. What they got wrong and is done right
 * here: clone without SIGCHLD, so that the parent cannot wait for its child; a child that goes on in its caller's code; a mini container
 * that never enters its root. (Exercise 2.1, the list of kinds and flags, is checked by numbers 2 and 3.)
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { NamespaceType } from '../../src/oci/config/types.ts';
import { namespaceTypes } from '../../src/oci/namespaces.ts';
import { makeBundle, script, type TestConfig } from '../support/bundle.ts';
import { until } from '../support/container.ts';
import { startDelos } from '../support/delos.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { newId } from '../support/marker.ts';
import { changes, noContainers, printed } from './claims.ts';

function named(hostname: string, domainname?: string): (config: TestConfig) => TestConfig {
  return (config) => ({ ...config, hostname, ...(domainname !== undefined && { domainname }) });
}

/** New namespaces of these kinds; of the others it has the host's. */
function only(...types: readonly NamespaceType[]): (config: TestConfig) => TestConfig {
  return (config) => ({ ...config, linux: { ...config.linux, namespaces: types.map((type) => ({ type })) } });
}

/** `uts uts:[4026531838]` a line, in the order of the names. */
const showNamespaces = 'cd /proc/self/ns; for name in cgroup ipc mnt net pid time user uts; do echo "$name $(readlink $name)"; done';

function linksOf(output: string): Record<string, string> {
  return Object.fromEntries(output.trimEnd().split('\n').map((line) => line.split(' ')));
}

test('S3 exercise 2.2, S2 part 6: a UTS namespace of its own, and the host keeps its names', { skip: noContainers }, async () => {
  const before = os.hostname();
  const output = await printed(`hostname; cat /proc/sys/kernel/domainname; ${showNamespaces}`, changes(only('mount', 'uts'), named('container-host', 'container.local')));
  const [hostname, domainname, ...links] = output.trimEnd().split('\n');
  assert.deepEqual([hostname, domainname], ['container-host', 'container.local']);
  assert.equal(os.hostname(), before);
  for (const [name, link] of Object.entries(linksOf(links.join('\n')))) {
    const isOwn = link !== fs.readlinkSync(`/proc/self/ns/${name}`);
    assert.equal(isOwn, name === 'uts' || name === 'mnt', name);
  }
});

test('S3 exercise 2.3, S2 part 2: a process and process 1 of its container have the same namespaces, named and numbered', { skip: noContainers }, async () => {
  const types = Object.keys(namespaceTypes).filter((type) => type !== 'user') as NamespaceType[];
  const output = await printed(`${showNamespaces}; echo ===; ${showNamespaces.replace('/proc/self', '/proc/1')}`, only(...types));
  const [self = '', init = ''] = output.split('===\n');
  assert.deepEqual(linksOf(self), linksOf(init));
  for (const [name, link] of Object.entries(linksOf(self))) {
    assert.match(link, new RegExp(`^${name}:\\[\\d+\\]$`));
    assert.equal(link === fs.readlinkSync(`/proc/self/ns/${name}`), name === 'user', name);
  }
});

test('S3 exercise 2.4: the mini container tells of itself, the host knows its pid and waits for it', { skip: noContainers }, async () => {
  const before = leaks();
  {
    const text = 'mkfifo /go; echo "[Container] Starting..."; echo "[Container] PID: $$"; echo "[Container] Running on $(hostname)..."; read word < /go; echo "[Container] Exiting"; exit 3';
    using bundle = makeBundle(script(text, changes(only('pid', 'uts', 'mount', 'ipc'), named('mini-container'))));
    const [go, pidFile] = [path.join(bundle.rootfs, 'go'), path.join(bundle.path, 'pid')];
    const { outcome, child } = startDelos(['run', '--pid-file', pidFile, newId()], { bundle });
    let said = '';
    child.stdout?.on('data', (part: string) => (said += part));
    await until('it runs', () => said.includes('Running'), 10_000);
    const pid = Number(fs.readFileSync(pidFile, 'utf8'));
    assert.match(fs.readFileSync(`/proc/${pid}/status`, 'utf8'), new RegExp(`^NSpid:\\t${pid}\\t1$`, 'm'));
    assert.equal(fs.readlinkSync(`/proc/${pid}/ns/net`), fs.readlinkSync('/proc/self/ns/net'));
    assert.equal(child.exitCode, null);
    fs.writeFileSync(go, 'go\n');
    const { status, stdout } = await outcome;
    assert.equal(status, 3);
    assert.equal(stdout, '[Container] Starting...\n[Container] PID: 1\n[Container] Running on mini-container...\n[Container] Exiting\n');
    assert.ok(!fs.existsSync(`/proc/${pid}`));
  }
  await assertNoLeaks(before);
});
