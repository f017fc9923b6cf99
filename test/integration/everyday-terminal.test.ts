import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { Everyday } from '../support/everyday.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'cgroups', 'python3');
const driver = path.resolve(import.meta.dirname, '../support/on-terminal.py');

type Step = readonly [awaited: string, act: string | readonly [rows: number, columns: number]];

/** Runs delos on a terminal of 30 rows and 100 columns, typing as the steps say. */
function onTerminal(everyday: Everyday, words: readonly string[], steps: readonly Step[]): { output: string; code: number; left: number } {
  const { stdout, stderr } = spawnSync('python3', [driver, '30', '100', JSON.stringify(steps), ...everyday.command, ...words], { encoding: 'utf8', timeout: 60_000 });
  assert.equal(stderr, '');
  return JSON.parse(stdout) as { output: string; code: number; left: number };
}

test('-it: a terminal of the right size, and the exit code', { skip }, async () => {
  await using everyday = new Everyday();
  const { output, code, left } = onTerminal(everyday, ['run', '-it', '--rm', 'host', 'sh', '-c', 'tty; stty size; echo ready; read line; echo "<$line>"; exit 5'], [['ready', 'typed\r']]);
  assert.match(output, /^\/dev\/pts\/0\s+30 100\s+ready\s+typed\s+<typed>\s+$/);
  assert.deepEqual([code, left], [5, 0]);
  assert.deepEqual(everyday.names(), []);
});

test('the detach keys leave it running; attach finds it again, in a terminal of another size', { skip }, async () => {
  await using everyday = new Everyday();
  const grow = 'until [ "$(stty size)" = "44 111" ]; do sleep 0.05; done; echo grown';
  const script = `echo ready; while read line; do echo "<$line>"; case $line in grow) ${grow};; end) exit 6;; esac; done`;
  const first = onTerminal(everyday, ['run', '-it', '--name', 'shell', 'host', 'sh', '-c', script], [['ready', 'one\r'], ['<one>', '\x10\x11']]);
  assert.deepEqual([first.code, first.left], [0, 0]);
  assert.equal(everyday.output('ps', '--format', '{{.Names}} {{.State}}'), 'shell running\n');
  assert.match(everyday.output('logs', 'shell'), /<one>/);
  everyday.output('exec', 'shell', 'true');
  const second = onTerminal(everyday, ['attach', 'shell'], [['', 'grow\r'], ['<grow>', [44, 111]], ['grown', 'end\r']]);
  assert.match(second.output, /<end>/);
  assert.deepEqual([second.code, second.left], [6, 0]);
  assert.equal(everyday.output('inspect', '-f', '{{.State.ExitCode}}', 'shell'), '6\n');
});

test('the keyboard\'s interrupt ends the program in the container, not delos', { skip }, async () => {
  await using everyday = new Everyday();
  // A signal that comes while the shell starts a program may miss that program, and the shell waits for its end.
  const script = 'trap "echo caught; exit 9" INT; echo ready; while :; do sleep 0.1; done';
  const { output, code } = onTerminal(everyday, ['run', '-it', '--rm', 'host', 'sh', '-c', script], [['ready', '\x03']]);
  assert.match(output, /caught/);
  assert.equal(code, 9);
});

test('exec -it has a terminal of its own', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-dt', '--name', 'idle', 'host', 'sleep', '1000');
  const { output, code } = onTerminal(everyday, ['exec', '-it', 'idle', 'sh', '-c', 'tty; stty size; exit 4'], []);
  assert.match(output, /^\/dev\/pts\/1\s+30 100/);
  assert.equal(code, 4);
});
