/**
 * Reference 2.10.20.j: AppArmor and SELinux. What the document got wrong and is checked right here: the fallback writes "changeprofile"
 * to a file that takes "exec"; the label is written through the container's own /proc; a label without its module is dropped.
 * What is written is read off the plan, with the module as a fact, since few kernels have both; that AppArmor then confines the
 * program is shown in a virtual machine (test/vm/guest/containers.ts). No kernel with SELinux is at hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../src/oci/config/types.ts';
import { hostFacts } from '../../src/oci/probe.ts';
import { planContainer } from '../../src/oci/plan.ts';
import { explainJson } from '../../src/plan/explain.ts';
import { prepare } from '../../src/runtime/prepare.ts';
import { makeBundle, type TestConfig } from '../support/bundle.ts';
import { storeRoot } from '../support/delos.ts';
import { newId } from '../support/marker.ts';
import { noContainers, printed, refusal } from './claims.ts';

const label = 'system_u:system_r:container_t:s0:c1,c2';
const mountLabel = 'system_u:object_r:container_file_t:s0:c1,c2';

/** The lines of a plan for a host with these modules, `call argument...` each. */
function linesOf(change: (config: Config) => Config, modules: { readonly apparmor: boolean; readonly selinux: boolean }): string[] {
  using bundle = makeBundle();
  const { config, facts, request } = prepare({ root: storeRoot, systemdCgroup: false, id: newId(), bundle: bundle.path, preserveFds: 0, noPivot: false, noNewKeyring: false }, false);
  return explainJson(planContainer(change(config), { ...facts, ...modules }, request)).map(({ call, arguments: words }) => [call, ...Object.values(words)].join(' '));
}

function withProcess(part: Partial<NonNullable<Config['process']>>): (config: Config) => Config {
  return (config) => ({ ...config, process: { cwd: '/', ...config.process, ...part } });
}

/** The line that follows the one that opens `file` of the private procfs. */
function written(lines: readonly string[], file: string): string {
  const at = lines.findIndex((line) => line.startsWith(`openat2 <procfs> "${file}"`) || line.startsWith(`openat <procfs> "${file}"`));
  assert.ok(at >= 0, lines.join('\n'));
  return lines[at + 1] ?? '';
}

test('test_security_labels', { skip: noContainers }, async (context) => {
  await context.test('AppArmor: "exec PROFILE" to attr/apparmor/exec of a procfs that is mounted nowhere', () => {
    const lines = linesOf(withProcess({ apparmorProfile: 'delos-default' }), { apparmor: true, selinux: false });
    assert.match(written(lines, 'thread-self/attr/apparmor/exec'), /^write <\w+> "exec delos-default"/);
    assert.ok(!lines.some((line) => /changeprofile|attr\/exec/.test(line)));
  });

  await context.test('SELinux: the label itself to attr/exec, and context= on what is mounted', () => {
    const labelled = (config: Config): Config => ({ ...withProcess({ selinuxLabel: label })(config), linux: { ...config.linux, mountLabel } });
    const lines = linesOf(labelled, { apparmor: false, selinux: true });
    assert.match(written(lines, 'thread-self/attr/exec'), new RegExp(`^write <\\w+> "${label}"`));
    // /dev, /dev/pts, /dev/shm and /dev/mqueue.
    assert.equal(lines.filter((line) => line.startsWith('fsconfig') && line.includes(mountLabel)).length, 4);
    assert.ok(!linesOf((config) => config, { apparmor: true, selinux: true }).some((line) => /attr\/|"context"/.test(line)));
  });

  const { apparmor, selinux } = hostFacts();
  await context.test('a label without its module is refused by name, and nothing is made', { skip: apparmor || selinux ? 'this kernel has one of them' : false }, async () => {
    const process = (part: object) => (config: TestConfig): unknown => ({ ...config, process: { ...config.process, ...part } });
    assert.match(await refusal(process({ apparmorProfile: 'delos-default' })), /^process\.apparmorProfile: this kernel has no AppArmor/);
    assert.match(await refusal(process({ selinuxLabel: label })), /^process\.selinuxLabel: this kernel has no SELinux/);
    assert.match(await refusal((config) => ({ ...config, linux: { ...config.linux, mountLabel } })), /^linux\.mountLabel: this kernel has no SELinux/);
    assert.equal(await printed('echo ran', (config) => ({ ...config, process: { ...config.process, apparmorProfile: 'unconfined' } })), 'ran\n');
  });
});
