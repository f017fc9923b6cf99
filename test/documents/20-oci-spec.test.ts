/**
 * Number 20, references 2.10.20.a-h, 2.10.17.h and 2.5.28.f: config.json. What the documents got wrong and is checked right here:
 * `oci_version` is no key of it, `ociVersion` is; mounts and env may be left out; an rlimit above 2^53 - 1 is exact; an error names
 * the place. The configuration of an image (2.10.20.c) comes with images: docs/reference/coverage.md.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { DelosError } from '../../src/lib/errors.ts';
import { parseConfig } from '../../src/oci/config/parse.ts';
import { checkConfig } from '../../src/oci/config/validate.ts';
import { readConfig } from '../../src/runtime/prepare.ts';
import { makeBundle, type TestConfig } from '../support/bundle.ts';
import { skipUnless } from '../support/skip.ts';
import { noContainers, printed, refusal } from './claims.ts';

/** Every field the documents name. */
const whole = {
  ociVersion: '1.0.2',
  process: {
    terminal: false, user: { uid: 1000, gid: 1000, additionalGids: [5, 6] }, args: ['/bin/sh'], env: ['PATH=/bin', 'A=b=c'], cwd: '/tmp',
    capabilities: { bounding: ['CAP_CHOWN'], effective: ['CAP_CHOWN'], inheritable: [], permitted: ['CAP_CHOWN'], ambient: [] },
    rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }], noNewPrivileges: true,
  },
  root: { path: 'rootfs', readonly: true },
  hostname: 'container',
  mounts: [{ destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] }, { destination: '/data' }],
  hooks: { prestart: [{ path: '/bin/true', args: ['true'], env: ['K=V=W'], timeout: 5 }], poststop: [{ path: '/bin/false' }] },
  linux: {
    namespaces: [{ type: 'pid' }, { type: 'network', path: '/run/netns/a' }, { type: 'uts' }, { type: 'mount' }],
    resources: { memory: { limit: 536870912, reservation: 268435456, swap: 1073741824 }, cpu: { shares: 1024, quota: 50000, period: 100000, cpus: '0-1' }, pids: { limit: 100 } },
    seccomp: { defaultAction: 'SCMP_ACT_ERRNO', architectures: ['SCMP_ARCH_X86_64'], syscalls: [{ names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' }] },
  },
};

/** Code and message of the error with which a document is refused. */
function fault(document: unknown): string {
  try {
    parseConfig(typeof document === 'string' ? document : JSON.stringify(document));
  } catch (error) {
    assert.ok(error instanceof DelosError);
    return `${error.code}: ${error.message}`;
  }
  return 'none';
}

/** The whole of it with something else at one place. */
function withPids(limit: unknown): unknown {
  return { ...whole, linux: { ...whole.linux, resources: { ...whole.linux.resources, pids: { limit } } } };
}

test('test_oci_spec', async (context) => {
  await context.test('what is read is written again letter by letter, key case and order too', () => {
    const text = JSON.stringify(whole);
    assert.equal(JSON.stringify(parseConfig(text)), text);
    assert.deepEqual(checkConfig(parseConfig(text)).warnings, []);
    for (const key of ['ociVersion', 'additionalGids', 'noNewPrivileges', 'defaultAction', 'rlimits']) assert.ok(text.includes(`"${key}":`));
  });

  await context.test('the keys of the documents that are wrong are missed by name', () => {
    const { ociVersion, ...others } = whole;
    assert.match(fault({ ...others, oci_version: ociVersion }), /^bad-config: ociVersion: expected /);
    assert.match(fault({ ...whole, root: { Path: 'rootfs' } }), /^bad-config: root\.path: expected /);
  });

  await context.test('env, mounts, hostname, hooks, readonly and linux\'s parts may be left out', () => {
    const { hostname: _, mounts: __, hooks: ___, ...others } = whole;
    const { env: ____, ...process } = whole.process;
    const small = { ...others, process, root: { path: 'rootfs' }, linux: { namespaces: [{ type: 'mount' }] } };
    assert.deepEqual(parseConfig(JSON.stringify(small)), small);
  });

  await context.test('a file that cannot be read is one error, a text that cannot be another, with its place', () => {
    using bundle = makeBundle();
    fs.rmSync(path.join(bundle.path, 'config.json'));
    assert.throws(() => readConfig(bundle.path), { code: 'io', message: /config\.json: cannot be read: ENOENT$/ });
    bundle.configure(() => '{\n  "ociVersion": "1.0.2",\n  "process": }\n');
    assert.throws(() => readConfig(bundle.path), { code: 'bad-config', message: /^config\.json: line 3, column 14: expected .*, found / });
  });

  await context.test('a wrong value is told with its path, what was expected and what was found', () => {
    assert.match(fault(withPids('100')), /^bad-config: linux\.resources\.pids\.limit: expected an integer.*, found "100"$/);
    assert.match(fault(withPids(1.5)), /^bad-config: linux\.resources\.pids\.limit: expected an integer/);
    assert.match(fault({ ...whole, linux: { ...whole.linux, namespaces: [{ type: 'pids' }] } }), /^bad-config: linux\.namespaces\[0\]\.type: expected one of pid, .*, found "pids"$/);
    assert.match(fault({ ...whole, process: { ...whole.process, args: 'sh' } }), /^bad-config: process\.args: expected an array/);
  });

  await context.test('2^64 - 1 keeps all its digits, and 2^64 is refused', () => {
    const text = (hard: string): string => JSON.stringify(whole).replace('"hard":1024', `"hard":${hard}`);
    assert.equal(parseConfig(text('18446744073709551615')).process?.rlimits?.[0]?.hard, 18446744073709551615n);
    assert.match(fault(text('18446744073709551616')), /^bad-config: process\.rlimits\[0\]\.hard: expected /);
  });

  await context.test('what runc writes is read, and nothing of it lost', { skip: skipUnless('runc') }, () => {
    using bundle = makeBundle();
    fs.rmSync(path.join(bundle.path, 'config.json'));
    assert.equal(spawnSync('runc', ['spec'], { cwd: bundle.path }).status, 0);
    const config = readConfig(bundle.path);
    assert.deepEqual(config, JSON.parse(fs.readFileSync(path.join(bundle.path, 'config.json'), 'utf8')));
    assert.deepEqual(checkConfig(config).warnings, []);
  });

  await context.test('a real container is what its config.json says', { skip: noContainers }, async () => {
    const change = (config: TestConfig): TestConfig => ({
      ...config, hostname: 'as-configured',
      process: { ...config.process, user: { uid: 1000, gid: 1000, additionalGids: [5, 6] }, cwd: '/tmp', env: ['PATH=/bin', 'A=b=c'], rlimits: [{ type: 'RLIMIT_NOFILE', hard: 321, soft: 123 }] },
    });
    const text = 'hostname; id -u; id -G; pwd; echo "$A"; ulimit -Sn; ulimit -Hn; echo $HOME';
    assert.equal(await printed(text, change), 'as-configured\n1000\n1000 5 6\n/tmp\nb=c\n123\n321\n/tmp\n');
    assert.match(await refusal((config) => ({ ...config, root: undefined })), /^root: expected /);
  });
});
