/**
 * Number 22, references 2.10.22.a-h: the command line, the modules, and the way from config.json to what is done. What the document
 * got wrong and is checked right here: its parser gives Help whatever it is asked; joining the cgroup comes after its namespace.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { importFault, importFaults } from '../../tools/imports.ts';
import { parseCommandLine } from '../../src/vocabulary/flags.ts';
import { program } from '../../src/cli/oci/program.ts';
import { order } from '../../src/oci/order.ts';
import { planContainer } from '../../src/oci/plan.ts';
import { encode } from '../../src/plan/encode.ts';
import { prepare } from '../../src/runtime/prepare.ts';
import { makeBundle } from '../support/bundle.ts';
import { runDelos, storeRoot } from '../support/delos.ts';
import { noContainers } from './claims.ts';

/** What a command line is understood as. */
function understood(line: string): string {
  const parsed = parseCommandLine(program, line === '' ? [] : line.split(' '));
  if (parsed.kind !== 'run') return parsed.kind;
  const { command, positional, flags } = parsed.invocation;
  return [command.name, ...positional, JSON.stringify(flags)].join(' ');
}

test('test_runtime_architecture', async (context) => {
  await context.test('each command of the document is read with its arguments', () => {
    assert.match(understood('create --bundle /b one'), /^create one \{.*"bundle":"\/b"/);
    assert.match(understood('start one'), /^start one \{/);
    assert.match(understood('kill one 9'), /^kill one 9 \{/);
    assert.match(understood('kill one SIGTERM'), /^kill one SIGTERM \{/);
    assert.match(understood('delete --force one'), /^delete one \{.*"force":true/);
    assert.match(understood('state one'), /^state one \{/);
    assert.equal(understood('--help'), 'help');
    assert.equal(understood('create --help'), 'help');
  });

  await context.test('what is no command, too few words and too many are refused', () => {
    for (const line of ['creat one', 'start', 'start one two', 'state --nothing one', 'kill one 9 10']) {
      assert.throws(() => understood(line), { code: 'bad-usage' }, line);
    }
    const { status, stderr } = runDelos(['creat', 'one']);
    assert.notEqual(status, 0);
    assert.match(stderr, /creat/);
    const help = runDelos(['--help']);
    assert.equal(help.status, 0);
    for (const command of ['create', 'start', 'kill', 'delete', 'state']) assert.match(help.stdout, new RegExp(`^ +${command}\\b`, 'm'));
  });

  await context.test('the modules are there, and none imports one above it', () => {
    const source = path.resolve(import.meta.dirname, '../../src');
    for (const place of ['cli/oci', 'oci/config', 'runtime/state.ts', 'oci/namespaces.ts', 'cgroup', 'oci/net-devices.ts', 'oci/mount', 'oci/program.ts', 'seccomp', 'oci/credentials.ts']) {
      assert.ok(fs.existsSync(path.join(source, place)), place);
    }
    assert.deepEqual(importFaults(), []);
    assert.match(importFault('src/plan/step.ts', '../oci/plan.ts') ?? '', /stands above it/);
  });

  await context.test('config.json becomes a plan and nothing else: the same plan each time, and nothing is made', { skip: noContainers }, () => {
    using bundle = makeBundle();
    const wanted = { root: storeRoot, systemdCgroup: false, id: 'pure', bundle: bundle.path, preserveFds: 0, noPivot: false, noNewKeyring: false };
    const { config, facts, request } = prepare(wanted, false);
    const bytes = (): Buffer => Buffer.from(encode(planContainer(config, facts, request)).bytes);
    const frozen = JSON.stringify(config);
    assert.deepEqual(bytes(), bytes());
    assert.equal(JSON.stringify(config), frozen);
    assert.ok(!fs.existsSync(request.folder));
    assert.ok(request.cgroup.every(({ directory }) => !fs.existsSync(directory)));
  });

  await context.test('the order is a list that can be read: every field is in it once', () => {
    assert.equal(new Set(order).size, order.length);
    const pointers = order.flatMap(({ at }) => at);
    for (const pointer of ['/linux/namespaces', '/linux/cgroupsPath', '/root/path', '/process/args', '/linux/seccomp']) assert.ok(pointers.includes(pointer), pointer);
    assert.ok(pointers.indexOf('/linux/cgroupsPath') < pointers.indexOf('/linux/namespaces') && pointers.indexOf('/linux/namespaces') < pointers.indexOf('/root/path'));
  });
});
