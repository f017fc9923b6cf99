import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';

const main = path.join(import.meta.dirname, 'main.ts');

function delosOci(args: readonly string[], cwd?: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', cwd });
}

function temporaryFolder(context: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-oci-'));
  context.after(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

const textLine = (message: RegExp): RegExp => new RegExp(`^time="\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ" level=error msg="${message.source}"\n$`);

test('version and help go to stdout', () => {
  assert.deepEqual(delosOci(['--version']).stdout.replace(/\d+\.\d+\.\d+\n/, 'N\n'), 'delos-oci version N\nspec: 1.3.0\n');
  for (const args of [[], ['-h'], ['help'], ['help', 'run'], ['run', '--help']]) {
    const { status, stdout, stderr } = delosOci(args);
    assert.deepEqual({ status, stderr, help: stdout.startsWith('Usage:  delos-oci ') }, { status: 0, stderr: '', help: true }, args.join(' '));
  }
});

test('an error is one line of logrus, and the exit code is runc\'s', (context) => {
  const root = temporaryFolder(context);
  const cases: [args: string[], status: number, message: RegExp][] = [
    [['state', 'nope'], 1, /container \\"nope\\" does not exist/],
    [['delete', 'nope'], 1, /container \\"nope\\" does not exist/],
    [['exec', 'nope', 'ls'], 255, /container \\"nope\\" does not exist/],
    [['exec', '--bogus', 'nope'], 255, /unknown flag: --bogus\. See 'delos-oci exec --help'\./],
    [['state'], 1, /'delos-oci state' requires exactly 1 argument, 0 given\. See .*/],
    [['kill', 'nope', 'BOGUS'], 1, /invalid signal 'BOGUS': expected .*/],
    [['state', '../x'], 1, /invalid container ID format: .*/],
    [['run', '--preserve-fds', '-1', 'x'], 1, /--preserve-fds: expected 0 to .*/],
    [['checkpoint', 'x'], 1, /checkpoint is not supported: .*/],
    [['restore', 'x'], 1, /restore is not supported: .*/],
    [['bogus'], 1, /'bogus' is not a delos-oci command\. See .*/],
    [['--log-format', 'xml', 'list'], 1, /invalid log-format: xml/],
    [['--explain=xml', 'create', 'x'], 1, /--explain: expected text or json, found \\"xml\\"/],
  ];
  for (const [args, code, message] of cases) {
    const { status, stdout, stderr } = delosOci(['--root', root, ...args], root);
    assert.deepEqual({ status, stdout }, { status: code, stdout: '' }, args.join(' '));
    assert.match(stderr, textLine(message));
  }
});

test('with --force it is no error that there is nothing to delete', (context) => {
  assert.deepEqual({ ...delosOci(['--root', temporaryFolder(context), 'delete', '--force', 'nope']), pid: 0 }.status, 0);
});

test('--log takes the line, relative to the caller, in the form asked for; stderr has the sentence', (context) => {
  const folder = temporaryFolder(context);
  for (const args of [['state', 'nope'], ['state', '--bogus']]) {
    fs.rmSync(path.join(folder, 'log'), { force: true });
    const { status, stderr } = delosOci(['--root', folder, '--log', 'log', '--log-format', 'json', ...args], folder);
    const { time, ...entry } = JSON.parse(fs.readFileSync(path.join(folder, 'log'), 'utf8')) as Record<string, string>;
    assert.equal(status, 1);
    assert.deepEqual(entry, { level: 'error', msg: stderr.trimEnd() });
    assert.match(time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  }
});

test('a log that cannot be opened is said on stderr', () => {
  const { status, stderr } = delosOci(['--log', '/proc/nope/log', 'list']);
  assert.equal(status, 1);
  assert.match(stderr, textLine(/--log: \/proc\/nope\/log cannot be opened: ENOENT/));
});
