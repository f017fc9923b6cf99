import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from '../../tools/files.ts';

/** What `delos WORDS` comes to, run from its sources. */
export function delos(words: readonly string[], input = ''): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(root, 'src/cli/main.ts'), ...words], { encoding: 'utf8', input, timeout: 60_000 });
  return { status, stdout, stderr };
}

/** What it prints when it ends well and without a word on stderr. */
export function printedByDelos(...words: readonly string[]): string {
  const { status, stdout, stderr } = delos(words);
  assert.deepEqual({ status, stderr, stdout }, { status: 0, stderr: '', stdout });
  return stdout;
}
