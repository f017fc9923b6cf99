// ./dev check: everything that can be said about the sources without running them.
import { browserFaults } from './browser.ts';
import { importFaults } from './imports.ts';
import { packageFaults } from './package.ts';
import { run } from './run.ts';
import { sizeReport } from './sizes.ts';

interface Verdict {
  ok: boolean;
  lines: string[];
}

async function program(path: string, args: readonly string[]): Promise<Verdict> {
  const { code, output } = await run(path, args);
  const lines = output.trimEnd();
  return { ok: code === 0, lines: lines === '' ? [] : lines.split('\n') };
}

function faults(lines: string[]): Verdict {
  return { ok: lines.length === 0, lines };
}

/** The checks, in the order of their report. */
const checks: readonly [name: string, check: () => Verdict | Promise<Verdict>][] = [
  ['types', () => program('node_modules/.bin/tsc', ['-p', '.', '--pretty', 'false'])],
  ['lint', () => program('node_modules/.bin/oxlint', ['-f', 'unix'])],
  ['imports', () => faults(importFaults())],
  ['browser', async () => faults(await browserFaults())],
  ['package', () => faults(packageFaults())],
  ['sizes', () => ({ ok: true, lines: sizeReport() })],
];

let failed = 0;
for (const [name, check] of checks) {
  const start = performance.now();
  const { ok, lines } = await check();
  if (!ok) failed += 1;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${Math.round(performance.now() - start)} ms)`);
  for (const line of lines) console.log(`     ${line}`);
}
process.exitCode = failed === 0 ? 0 : 1;
