/** References 2.10.25, 2.10.26 and S4 5.5.5: the program of docs/learn, on this machine's KVM, beside the same guest in the simulator. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
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

test('the pages of docs/learn lead to files that are there', () => {
  const pages = [...find('docs/learn/*.md'), 'docs/guide/westworld.md'];
  assert.ok(pages.length >= 6);
  for (const page of pages) {
    const links = [...fs.readFileSync(path.join(root, page), 'utf8').matchAll(/\]\(([^)#:]+)\)/g)].map(([, to = '']) => to);
    assert.deepEqual(links.filter((to) => !fs.existsSync(path.resolve(root, path.dirname(page), to))), [], page);
  }
});
