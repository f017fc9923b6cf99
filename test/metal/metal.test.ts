/**
 * What the system's half of a processor does, by guests without an operating system: each topic writes a log. The logs in expected/ are what the
 * manuals demand; the interpreter has to give them word by word, QEMU and KVM but for what known.ts tells of them.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInterpreter } from '../../src/engine/interpreter.ts';
import { kvm } from '../../src/engine/kvm.ts';
import { probeKvm } from '../../src/engine/probe.ts';
import { floatBytes } from '../support/float-module.ts';
import { noKvm } from '../support/guest.ts';
import { build, guests, type Guest } from './build.ts';
import { knownDifferences, refusedModes, type KnownDifference } from './known.ts';
import { differencesOf, topicsOf } from './log.ts';
import { runOn } from './machine.ts';
import { noQemu, runOnQemu } from './qemu.ts';

const noCompiler = ['gcc', 'objcopy'].some((program) => spawnSync(program, ['--version']).status !== 0) && 'there are no gcc and binutils';
const built = new Map<Guest, Uint8Array>();

function kernelOf(guest: Guest): Uint8Array {
  const known = built.get(guest) ?? build(guest);
  built.set(guest, known);
  return known;
}

type Topics = ReadonlyMap<string, readonly string[]>;

const expected = (guest: Guest): Topics => topicsOf(readFileSync(join(import.meta.dirname, 'expected', `${guest}.txt`), 'utf8'));
const interpreter = createInterpreter(floatBytes);

function compare(engine: KnownDifference['engine'], log: string, wanted: Topics, context: { diagnostic(text: string): void }): void {
  const known = knownDifferences.filter((one) => one.engine === engine);
  const found = topicsOf(log);
  let told = 0;
  for (const [topic, lines] of wanted) {
    const unknown = differencesOf(lines, found.get(topic) ?? []).filter((line) => {
      const listed = known.some((one) => one.topic === topic && one.lines.test(line));
      if (listed) told++;
      return !listed;
    });
    assert.deepEqual(unknown, [], `${topic} on ${engine}`);
  }
  context.diagnostic(`${wanted.size} topics, ${told} lines differ as listed`);
}

for (const guest of guests) {
  test(`${guest} mode on the interpreter`, { skip: noCompiler }, async () => {
    const { log, end } = await runOn(interpreter, kernelOf(guest), 'all');
    assert.deepEqual([end, Object.fromEntries(topicsOf(log))], ['debug-exit', Object.fromEntries(expected(guest))]);
  });

  test(`${guest} mode on QEMU's translator`, { skip: noCompiler || noQemu }, (context) => {
    const { log, end } = runOnQemu(kernelOf(guest), 'all');
    assert.equal(end, 'debug-exit', log.slice(-500));
    compare('qemu', log, expected(guest), context);
  });
}

test('on KVM: all where the processor runs it, what is level 3 elsewhere', { skip: noCompiler || noKvm }, async (context) => {
  const wanted = expected('long');
  const native = probeKvm().useful;
  const topics = native ? [...wanted.keys()] : ['user', 'alignment'];
  if (!native) context.diagnostic('this KVM interprets level 0, slowly and not all of it: two topics are compared');
  const { log, end } = await runOn(kvm, kernelOf('long'), topics.join(' '));
  assert.equal(end, 'debug-exit', log.slice(-500));
  compare('kvm', log, new Map([...wanted].filter(([topic]) => topics.includes(topic))), context);
});

test('what no mode allows in control registers', { skip: noCompiler }, async () => {
  const { log, end } = await runOn(interpreter, kernelOf('long'), refusedModes);
  assert.equal(end, 'debug-exit');
  const lines = topicsOf(log).get(refusedModes) ?? [];
  assert.equal(lines.length, 10);
  for (const line of lines) assert.match(line, /: #GP\(0\) \+\d+$/);
});

test('a fault without a table of handlers ends a machine', { skip: noCompiler || noQemu }, async () => {
  const wanted = { log: 'shutdown: without a table\n', end: 'shutdown' };
  assert.deepEqual(await runOn(interpreter, kernelOf('long'), 'shutdown'), wanted);
  assert.deepEqual(runOnQemu(kernelOf('long'), 'shutdown'), wanted);
});
