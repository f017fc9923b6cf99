import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { Bundle } from './bundle.ts';

/** Compiles a C program into the bundle's root, static, so that it runs there. Needs gcc. */
export function compileInto(bundle: Bundle, name: string, source: string): void {
  const { status, stderr } = spawnSync('gcc', ['-static', '-O1', '-pthread', '-o', path.join(bundle.rootfs, name), '-x', 'c', '-'], { input: source, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}
