// delos vm run --trace, delos vm trace and --serial pty, as a person has them.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { kvm } from '../../src/engine/kvm.ts';
import { root } from '../../tools/files.ts';

const folder = fs.mkdtempSync(join(tmpdir(), 'delos-vm-trace-'));
after(() => fs.rmSync(folder, { recursive: true }));

function guest(name: string, hex: string): string {
  const file = join(folder, name);
  fs.writeFileSync(file, Buffer.from(hex, 'hex'));
  return file;
}

// mov dx, 0x3f8; mov al, 'H'; out dx, al; mov al, 'i'; out dx, al; mov al, 3; out 0xf4, al; hlt
const hi = guest('hi.bin', 'baf803b048eeb069eeb003e6f4f4');
// Each byte that comes to the serial port goes back; q ends it through the debug port.
const echo = guest('echo.bin', 'bafd03eca80174f8baf803ec3c717403eeebedb001e6f4f4');

const delos = join(root, 'delos');
const notKvm = kvm.available() === true ? false : String(kvm.available());

function vm(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(delos, ['vm', ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
}

/** Without the times. */
const untimed = (text: string): string[] => text.trimEnd().split('\n').map((line) => line.replace(/^ +\d+\.\d{6} {2}/, ''));

const instructions = ['mov    dx,0x3f8', "mov    al,0x48", 'out    dx,al', 'mov    al,0x69', 'out    dx,al', 'mov    al,0x3', 'out    0xf4,al'];
const accesses = ['IoOut port 0x3f8 size 1 value 0x48 (16550)', 'IoOut port 0x3f8 size 1 value 0x69 (16550)', 'IoOut port 0xf4 size 1 value 0x3 (debug-exit)'];

for (const [engine, skip] of [['interpreter', false], ['kvm', notKvm]] as const) {
  test(`a guest's instructions on ${engine}, one by one`, { skip }, () => {
    const file = join(folder, `instructions-${engine}`);
    const { status, stdout, stderr } = vm('run', '--flat', hi, '--engine', engine, '--trace', 'instructions', '--trace-file', file);
    assert.deepEqual({ status, stdout, stderr }, { status: 7, stdout: 'Hi', stderr: '' });
    const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
    assert.deepEqual(lines.map((line) => line.slice(34).replace(/ *;.*/, '').trimEnd()), instructions);
    assert.match(lines[0] ?? '', /^00007c00: {2}baf803 .*; rdx=0x3f8$/);
  });

  test(`the table of exits on ${engine}`, { skip }, () => {
    const { status, stdout, stderr } = vm('trace', '--json', '--flat', hi, '--engine', engine);
    const { exits, kinds, places, ...found } = JSON.parse(stdout) as { engine: string; exits: number; kinds: { exit: string; count: number; nanoseconds: number }[]; places: { place: string; count: number }[] };
    assert.deepEqual([status, stderr, found.engine], [7, 'Hi', engine]);
    // What calls KVM's process away is no choice of the guest's.
    const guests = kinds.filter(({ exit }) => exit !== 'Intr');
    assert.deepEqual(guests.map(({ exit, count }) => [exit, count]), [['IoOut', 3]]);
    assert.ok(exits >= 3 && (guests[0]?.nanoseconds ?? 0) > 0);
    assert.deepEqual(places.map(({ place, count }) => [place, count]), [['port 0x3f8', 2], ['port 0xf4', 1]]);
  });
}

test('exits as they come, on stderr', () => {
  const { status, stdout, stderr } = vm('run', '--flat', hi, '--engine', 'interpreter', '--trace', 'exits');
  assert.deepEqual([status, stdout, untimed(stderr)], [7, 'Hi', accesses]);
});

test('what can not be traced is told in one line', () => {
  const mistakes: readonly (readonly [RegExp, ...string[]])[] = [
    [/no trace of calls, only of exits, instructions, interrupts/, '--trace', 'calls'], [/--trace-file: \/nowhere\/x can't be written/, '--trace-file', '/nowhere/x'],
    ...(notKvm === false ? [[/KVM enters the guest's handlers without telling/, '--engine', 'kvm', '--trace', 'interrupts'] as const] : []),
  ];
  for (const [sentence, ...words] of mistakes) {
    const { status, stdout, stderr } = vm('run', '--flat', hi, ...words);
    assert.match(stderr, sentence);
    assert.deepEqual([stdout, stderr.trim().split('\n').length, status === 0], ['', 1, false]);
  }
});

test('a serial port that is a pseudo-terminal: every byte both ways', async () => {
  const machine = spawn(delos, ['vm', 'run', '--flat', echo, '--engine', 'interpreter', '--serial', 'pty'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => machine.on('exit', resolve));
  const line = await new Promise<string>((resolve) => machine.stderr.setEncoding('utf8').once('data', resolve));
  const path = /^delos: char device redirected to (\/dev\/pts\/\d+) \(label serial0\)\n$/.exec(line)?.[1];
  assert.ok(path, line);
  const terminal = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NOCTTY);
  const sent = Buffer.from('a\r\n\x03\xff\0z', 'latin1');
  fs.writeSync(terminal, sent);
  const back = Buffer.alloc(sent.length);
  for (let at = 0; at < sent.length;) at += await new Promise<number>((resolve, reject) => fs.read(terminal, back, at, sent.length - at, null, (error, got) => (error ? reject(error) : resolve(got))));
  assert.deepEqual(back, sent);
  fs.writeSync(terminal, 'q');
  fs.closeSync(terminal);
  assert.equal(await ended, 3);
});

test('Ctrl-C ends a trace with its table', async () => {
  // jmp to itself
  const machine = spawn(delos, ['vm', 'trace', '--flat', guest('loop.bin', 'e464ebfc'), '--engine', 'interpreter'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  machine.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise<number | null>((resolve) => machine.on('exit', resolve));
  await new Promise((resolve) => setTimeout(resolve, 2500));
  machine.kill('SIGINT');
  assert.equal(await ended, 0);
  assert.match(said, /^VM exits on interpreter: \d+ in [\d.]+ s\nEXIT .*\nIoIn +\d+ +100\.0%/m);
});
