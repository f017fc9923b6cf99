// What docs/guide/vm.md shows behind the prompt #, done.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { root } from '../../tools/files.ts';

const page = fs.readFileSync(path.join(root, 'docs/guide/vm.md'), 'utf8');
const folder = fs.mkdtempSync(path.join(tmpdir(), 'delos-vm-guide-'));
after(() => fs.rmSync(folder, { recursive: true }));

const blocks = [...page.matchAll(/^```console\n([^]*?)^```$/gm)].map(([, text = '']) => text).filter((text) => text.startsWith('# '));

/** What differs from one time to the next is left out, and the columns that give way to it. */
function lasting(text: string): string {
  return text.replace(/^ +\d+\.\d{6} /gm, 'AT ').replace(/\d+(?:\.\d+)? (?:ns|us|ms|s)\b/g, 'TIME').replace(/\d+\.\d%/g, 'PART').replace(/ {2,}/g, ' ').trim();
}

test('the commands print what the page says', () => {
  const env = { ...process.env, PATH: `${root}:${process.env['PATH'] ?? ''}` };
  const steps = blocks.flatMap((text) => text.split(/^# /m).slice(1));
  assert.equal(steps.length, 7);
  for (const step of steps) {
    const [command = ''] = step.split('\n', 1);
    const { stdout, stderr } = spawnSync('sh', ['-c', command], { cwd: folder, env, encoding: 'utf8' });
    assert.deepEqual([lasting(stdout), stderr], [lasting(step.slice(command.length + 1)), ''], command);
  }
});
