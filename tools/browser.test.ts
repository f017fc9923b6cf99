import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { browserFaults } from './browser.ts';
import { root } from './files.ts';

test("what needs Node is found, in what is imported too: a module, a global, a type", async () => {
  const folder = mkdtempSync(join(root, 'build/browser-test-'));
  try {
    writeFileSync(join(folder, 'below.ts'), "import fs from 'node:fs';\nexport const here = (): string => `${process.cwd()}${Buffer.from('x')}${fs.constants.R_OK}`;\nexport type Signal = NodeJS.Signals;\n");
    writeFileSync(join(folder, 'entry.ts'), "import { here } from './below.ts';\nperformance.now();\nhere();\n");
    const faults = (await browserFaults(join(folder, 'entry.ts'))).join('\n');
    for (const needed of ['node:fs', 'process', 'Buffer', 'NodeJS']) assert.match(faults, new RegExp(`below\\.ts.*'${needed}'`));
    assert.doesNotMatch(faults, /entry\.ts/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
