import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { CgroupPaths } from '../../src/cgroup/path.ts';
import { readControlFile } from '../../src/cgroup/control-file.ts';
import type { Capabilities, Resources, Seccomp } from '../../src/oci/config/types.ts';
import { planContainer } from '../../src/oci/plan.ts';
import { explainJson, type ExplainedStep } from '../../src/plan/explain.ts';
import { prepare } from '../../src/runtime/prepare.ts';
import { readRecord } from '../../src/runtime/store.ts';
import { makeBundle, script, type Bundle, type ConfigChange, type TestConfig } from '../support/bundle.ts';
import { attempt, type Attempt } from '../support/container.ts';
import { runDelos, runtime, storeRoot } from '../support/delos.ts';
import { marker, newId } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

/** Every test of the documents that runs a container needs this. */
export const noContainers = skipUnless('root', 'busybox', 'cgroups');

/** What a shell script prints in a container of its own, which has to end well and to leave nothing on the host. */
export async function printed(text: string, change: ConfigChange = (config) => config, more: Omit<Attempt, 'config'> = {}): Promise<string> {
  const { status, stdout, stderr } = await attempt({ ...more, config: script(text, change) });
  assert.deepEqual({ status, stderr, stdout }, { status: 0, stderr: '', stdout });
  return stdout;
}

/** The line with which a container is refused. Nothing may be left of it. */
export async function refusal(change: ConfigChange): Promise<string> {
  const { status, stdout, stderr } = await attempt({ config: change });
  assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
  const [, message = ''] = /^time="[^"]+" level=error msg="?(.*?)"?\n$/.exec(stderr) ?? assert.fail(stderr);
  return message.replaceAll('\\"', '"');
}

/** The plan of a container that is not run, as it is explained; of `create` when it is `held`. */
export function planned(change: ConfigChange, held = false): ExplainedStep[] {
  using bundle = makeBundle(change);
  const wanted = { root: storeRoot, systemdCgroup: false, id: newId(), bundle: bundle.path, preserveFds: 0, noPivot: false, noNewKeyring: false };
  const { config, facts, request } = prepare(wanted, held);
  return explainJson(planContainer(config, facts, request));
}

/** One change after the other, each typed. */
export function changes(...list: readonly ((config: TestConfig) => TestConfig)[]): (config: TestConfig) => TestConfig {
  return (config) => list.reduce((changed, change) => change(changed), config);
}

/** Adds to `linux.resources`. */
export function limited(resources: Resources): (config: TestConfig) => TestConfig {
  return (config) => ({ ...config, linux: { ...config.linux, resources: { ...config.linux.resources, ...resources } } });
}

/** The five sets. Those that are not named are empty. */
export function withCapabilities(capabilities: Capabilities): (config: TestConfig) => TestConfig {
  return (config) => ({ ...config, process: { ...config.process, capabilities } });
}

/** The same capabilities where they count for root: not inheritable and not ambient (CVE-2022-24769). */
export function capable(...names: readonly string[]): (config: TestConfig) => TestConfig {
  return withCapabilities({ bounding: names, permitted: names, effective: names });
}

export function filtered(seccomp: Seccomp): (config: TestConfig) => TestConfig {
  return (config) => ({ ...config, linux: { ...config.linux, seccomp } });
}

/** Where the cgroups of a container are on the host. */
export function cgroupOf(id: string): CgroupPaths {
  return readRecord(storeRoot, id).cgroup;
}

/** What is in a control file of a cgroup of v1 or, where the controller is in v2, in its file there. */
export function limitOf(cgroup: CgroupPaths, controller: string, legacyFile: string, unifiedFile: string): string {
  const legacy = cgroup[controller];
  const text = legacy === undefined ? readControlFile(cgroup[''] ?? '/', unifiedFile) : readControlFile(legacy, legacyFile);
  return (text ?? assert.fail(`${legacyFile} and ${unifiedFile} are not there`)).trim();
}

/** The value of a line `Key:\tvalue` of /proc/PID/status. */
export function statusLine(status: string, key: string): string {
  return new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? assert.fail(`no line ${key} in ${status}`);
}

export interface State {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: string;
  readonly bundle: string;
  readonly rootfs: string;
}

/** What `state` prints of a container. */
export function stateOf(id: string): State {
  return JSON.parse(succeeds(['state', id])) as State;
}

/** A command of `delos-oci` that has to work without a word on stderr. Gives its stdout. */
export function succeeds(args: readonly string[]): string {
  const { status, stdout, stderr } = runDelos(args);
  assert.deepEqual({ args, status, stderr }, { args, status: 0, stderr: '' });
  return stdout;
}

/** A container that was created and waits for its start; its output goes to nowhere. Disposing of it deletes it by force. */
export function created(bundle: Bundle, id = newId()): Disposable & { readonly id: string } {
  const log = path.join(bundle.path, 'create.log');
  const [program = '', ...words] = [...runtime, '--root', storeRoot, '--log', log, 'create', '--bundle', bundle.path, id];
  const { status } = spawnSync(program, words, { stdio: 'ignore', env: { ...process.env, DELOS_TEST: marker }, timeout: 20_000 });
  assert.equal(status, 0, fs.existsSync(log) ? fs.readFileSync(log, 'utf8') : 'no log');
  return { id, [Symbol.dispose]: () => void runDelos(['delete', '--force', id]) };
}
