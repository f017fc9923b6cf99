/** References 2.10.25, 2.10.26 and S4 5.5.5: the guest that says "Hi!" in the simulator, on this machine's KVM by the program of docs/learn, on Delos's processor. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { cpuState } from '../../src/cpu/state.ts';
import { createInterpreter } from '../../src/engine/interpreter.ts';
import { floatBytes } from '../support/float-module.ts';
import { Machine } from '../../src/machine/machine.ts';
import { find, root } from '../../tools/files.ts';
import { greeting } from '../../src/westworld/narratives.ts';
import { trace } from '../../src/westworld/trace.ts';
import { skipUnless } from '../support/skip.ts';

function mayUseKvm(): boolean {
  try {
    fs.accessSync('/dev/kvm', fs.constants.R_OK | fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const skip = mayUseKvm() ? skipUnless('gcc') : 'needs /dev/kvm';

test('docs/learn/hi.c says on KVM what the simulator says, after as many exits', { skip }, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-learn-'));
  try {
    const program = path.join(folder, 'hi');
    const made = spawnSync('gcc', ['-Wall', '-Wextra', '-Werror', '-o', program, path.join(root, 'docs/learn/hi.c')], { encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
    const { stdout, stderr } = spawnSync(program, { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL' });
    const { output, exits } = trace(Uint8Array.from(greeting));
    assert.deepEqual({ stdout, stderr }, { stdout: `${output}halted after ${exits} exits\n`, stderr: '' });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test('Delos\'s own processor has the same guest say the same, and halts behind its HLT', async () => {
  let said = '';
  const start = { kind: 'flat', code: Uint8Array.from(greeting), address: 0x7c00 } as const;
  const machine = new Machine({ engine: createInterpreter(floatBytes), start, memory: 1 << 20, cpuid: () => [0, 0, 0, 0], serial: [(byte) => void (said += String.fromCharCode(byte))] });
  assert.deepEqual(await machine.run(AbortSignal.timeout(20_000)), { kind: 'halt' });
  assert.equal(said, trace(Uint8Array.from(greeting)).output);
  assert.equal(machine.cpu.state.getBigUint64(cpuState.fields.rip.offset, true), 0x7c10n);
});

test('the pages of docs/learn lead to files that are there', () => {
  const pages = [...find('docs/learn/*.md'), 'docs/guide/westworld.md'];
  assert.ok(pages.length >= 6);
  for (const page of pages) {
    const links = [...fs.readFileSync(path.join(root, page), 'utf8').matchAll(/\]\(([^)#:]+)\)/g)].map(([, to = '']) => to);
    assert.deepEqual(links.filter((to) => !fs.existsSync(path.resolve(root, path.dirname(page), to))), [], page);
  }
});
