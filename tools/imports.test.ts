import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importFault, importsOf } from './imports.ts';

test('every form of import is found, comments are not', () => {
  const source = [
    "import { a,\n  b } from './a.ts';",
    "import type { C } from '../c.ts';",
    "import './effect.ts';",
    "export { d } from './d.ts';",
    "export * from './e.ts';",
    "const f = await import('./f.ts');",
    "// import './comment.ts';",
    "/* import './block.ts'; */",
    "export const text = 'import nothing';",
  ].join('\n');
  assert.deepEqual(importsOf(source), ['./a.ts', '../c.ts', './effect.ts', './d.ts', './e.ts', './f.ts']);
});

test('a folder may import itself, what stands below it, node and package.json', () => {
  for (const specifier of ['./step.ts', '../lib/errors.ts', 'node:fs', '../../package.json']) {
    assert.equal(importFault('src/plan/explain.ts', specifier), undefined, specifier);
  }
  assert.equal(importFault('src/index.ts', './cli/main.ts'), undefined);
});

test('upwards, out of src, into a test, into a package: refused', () => {
  assert.match(importFault('src/plan/explain.ts', '../oci/index.ts') ?? '', /stands above/);
  assert.match(importFault('src/lib/errors.ts', '../index.ts') ?? '', /stands above/);
  assert.match(importFault('src/plan/explain.ts', '../../tools/run.ts') ?? '', /outside src/);
  assert.match(importFault('src/plan/explain.ts', './step.test.ts') ?? '', /a test/);
  assert.match(importFault('src/plan/explain.ts', 'esbuild') ?? '', /no dependencies/);
});

test('a folder without a place in the order is a fault', () => {
  assert.throws(() => importFault('src/lib/errors.ts', '../utils/all.ts'), /no place in the order/);
});
