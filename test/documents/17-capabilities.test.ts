/**
 * Number 17, references 2.10.17.a-g: the capabilities, by number, dropped and set. What the document got wrong and is checked right
 * here: its list ends at 37, so that "drop all" keeps 38 to 40 in the bounding set; reading them returns nothing and applying them prints
 * a line; bounding and ambient sets are ignored.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import * as capability from '../../src/abi/capability.ts';
import { script, type TestConfig } from '../support/bundle.ts';
import { attempt } from '../support/container.ts';
import { capable, noContainers, printed, refusal, statusLine, withCapabilities } from './claims.ts';

const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'] as const;

/** The five masks of a container's process, in the order above. */
async function masks(change: (config: TestConfig) => TestConfig): Promise<bigint[]> {
  const status = await printed('cat /proc/self/status', change);
  return sets.map((set) => BigInt(`0x${statusLine(status, set)}`));
}

function bits(...names: readonly (keyof typeof capability)[]): bigint {
  return names.reduce((together, name) => together | (1n << BigInt(capability[name])), 0n);
}

test('test_capabilities', { skip: noContainers }, async (context) => {
  await context.test('41 of them, numbered as in <linux/capability.h>, as far as this kernel knows', () => {
    const numbers = Object.values(capability);
    assert.deepEqual(numbers.toSorted((a, b) => a - b), Array.from({ length: 41 }, (_, number) => number));
    const { CAP_CHOWN, CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_AUDIT_READ, CAP_PERFMON, CAP_BPF, CAP_CHECKPOINT_RESTORE } = capability;
    assert.deepEqual([CAP_CHOWN, CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_AUDIT_READ, CAP_PERFMON, CAP_BPF, CAP_CHECKPOINT_RESTORE], [0, 12, 21, 37, 38, 39, 40]);
    assert.ok(Number(fs.readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8')) <= 40);
  });

  await context.test('all dropped means all, 38 to 40 too', async () => {
    assert.deepEqual(await masks(capable()), [0n, 0n, 0n, 0n, 0n]);
    assert.deepEqual(await masks((config) => ({ ...config, process: { ...config.process, capabilities: {} } })), [0n, 0n, 0n, 0n, 0n]);
  });

  await context.test('each of the five sets is what was asked for', async () => {
    const asked = withCapabilities({
      bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_ADMIN', 'CAP_BPF'], permitted: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_ADMIN'], effective: ['CAP_CHOWN'],
      inheritable: ['CAP_KILL'], ambient: ['CAP_KILL'],
    });
    // An ordinary user, since root gets permitted and effective anew with every program.
    const status = await masks((config) => ({ ...asked(config), process: { ...asked(config).process, user: { uid: 1000, gid: 1000 } } }));
    assert.deepEqual(status, [bits('CAP_KILL'), bits('CAP_KILL'), bits('CAP_KILL'), bits('CAP_CHOWN', 'CAP_KILL', 'CAP_NET_ADMIN', 'CAP_BPF'), bits('CAP_KILL')]);
  });

  await context.test('what is dropped is gone: chown works with CAP_CHOWN and not without', async () => {
    const text = 'touch /tmp/file; chown 7 /tmp/file 2>/dev/null; stat -c %u /tmp/file';
    assert.equal(await printed(text, capable('CAP_CHOWN')), '7\n');
    assert.equal(await printed(text, capable('CAP_KILL')), '0\n');
  });

  await context.test('ambient ones reach the program of an ordinary user, others do not', async () => {
    const names = ['CAP_NET_BIND_SERVICE'];
    const user = (ambient: readonly string[]) => (config: TestConfig): TestConfig => {
      const changed = withCapabilities({ bounding: names, permitted: names, effective: names, inheritable: ambient, ambient })(config);
      return { ...changed, process: { ...changed.process, user: { uid: 1000, gid: 1000 } } };
    };
    assert.equal((await masks(user(names)))[2], bits('CAP_NET_BIND_SERVICE'));
    assert.equal((await masks(user([])))[2], 0n);
  });

  await context.test('a name that is none has no effect, as with the other runtimes, and is told', async () => {
    const { stdout, stderr } = await attempt({ config: script('cat /proc/self/status', capable('CAP_CHOWN', 'CAP_FLY')) });
    assert.equal(BigInt(`0x${statusLine(stdout, 'CapBnd')}`), bits('CAP_CHOWN'));
    assert.match(stderr, /level=warning msg="process\.capabilities: ignored, because unknown: .*CAP_FLY/);
    assert.match(await refusal((config) => ({ ...config, process: { ...config.process, capabilities: { bounding: 'CAP_CHOWN' } } })), /^process\.capabilities\.bounding: expected an array/);
  });
});
