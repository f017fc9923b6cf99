import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { run } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'delos-reporter-'));
after(() => rmSync(folder, { recursive: true }));

const takeAll = 'for await (const event of events) text += report.take(event);';

/** Runs a file of tests under node:test in a process of its own, and reports on it as `./dev test` does. */
async function report(body: string, take = takeAll): Promise<{ text: string; ok: boolean }> {
  writeFileSync(join(folder, 'sample.test.ts'), `import { describe, it, test } from 'node:test';\n${body}`);
  const driver = `
    import { run } from 'node:test';
    import { Report } from ${JSON.stringify(join(import.meta.dirname, 'reporter.ts'))};
    const report = new Report(${JSON.stringify(folder)});
    let text = '';
    const events = run({ files: [${JSON.stringify(join(folder, 'sample.test.ts'))}] });
    ${take}
    process.stdout.write(JSON.stringify({ text: text + report.close(1), ok: report.ok }));`;
  const env = { ...process.env };
  // Node refuses a test runner inside a test runner; this one is the thing under test.
  delete env['NODE_TEST_CONTEXT'];
  writeFileSync(join(folder, 'driver.mjs'), driver);
  const { output } = await run(process.execPath, [join(folder, 'driver.mjs')], env);
  return JSON.parse(output) as { text: string; ok: boolean };
}

test('a pass is a dot and a total', async () => {
  const { text, ok } = await report(`describe('suite', () => { it('one', () => {}); it('two', () => {}); });`);
  assert.ok(ok);
  assert.match(text, /^\.\.\n/);
  assert.match(text, /ℹ tests 2\nℹ suites 1\nℹ pass 2\nℹ fail 0\n/);
});

test('a failure is shown once, with its place, its stack and what its file printed', async () => {
  const { text, ok } = await report(`console.log('spoken');\ndescribe('suite', () => { it('one', () => { throw new Error('broken'); }); });`);
  assert.equal(ok, false);
  assert.match(text, /FAIL sample\.test\.ts: suite > one\n {2}Error: broken\n/);
  assert.match(text, /its file has printed:\n {2}spoken\n/);
  assert.equal(text.match(/FAIL/g)?.length, 1);
  assert.match(text, /ℹ fail 1\n/);
});

test('a file that cannot be loaded is a failure', async () => {
  const { text, ok } = await report(`import './nowhere.ts';`);
  assert.equal(ok, false);
  assert.match(text, /FAIL sample\.test\.ts: the file itself/);
  assert.match(text, /ERR_MODULE_NOT_FOUND/);
});

test('every skip is listed with its reason', async () => {
  const { text, ok } = await report(`test('one', { skip: 'needs root' }, () => {}); test('two', (t) => t.skip('no cgroup v2'));`);
  assert.ok(ok);
  assert.match(text, /skipped: sample\.test\.ts: one: needs root\nskipped: sample\.test\.ts: two: no cgroup v2\n/);
});

test('a skip without a reason is not well', async () => {
  const { text, ok } = await report(`test('one', { skip: true }, () => {});`);
  assert.equal(ok, false);
  assert.match(text, /no reason given/);
});

test('a file that is run again is shown and listed, and counts only the second time', async () => {
  const { text, ok } = await report(`test('one', () => { throw new Error('broken'); }); test('two', () => {});`, 'text += report.failedOnce(await Array.fromAsync(events));');
  assert.ok(ok);
  assert.match(text, /FAIL sample\.test\.ts: one\n {2}Error: broken\n/);
  assert.match(text, /ℹ tests 0\n/);
  assert.match(text, /unsteady, run again alone: sample\.test\.ts: one\n/);
});
