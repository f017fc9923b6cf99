import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { initramfs, type InitramfsEntry } from './initramfs.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const entries: readonly InitramfsEntry[] = [
  { kind: 'folder', path: 'bin' },
  { kind: 'file', path: 'bin/init', mode: 0o755, data: text('#!/bin/sh\n') },
  { kind: 'file', path: 'empty', data: new Uint8Array() },
  { kind: 'link', path: 'bin/sh', target: 'init' },
  { kind: 'folder', path: 'tmp', mode: 0o1777 },
  { kind: 'file', path: 'n', mode: 0o600, data: text('no padding:3') },
  { kind: 'file', path: 'näme', data: text('x') },
];

test('an entry is the magic, 13 fields of eight hexadecimal digits, name and data, padded to 4', () => {
  const archive = initramfs([{ kind: 'file', path: 'ab', mode: 0o640, data: text('xyz') }]);
  const header = `070701${'00000001'}${'000081a0'}${'0'.repeat(16)}${'00000001'}${'0'.repeat(8)}${'00000003'}${'0'.repeat(32)}${'00000003'}${'0'.repeat(8)}`;
  assert.equal(new TextDecoder().decode(archive.subarray(0, 120)), `${header}ab\0\0\0\0xyz\0`);
  assert.equal(new TextDecoder().decode(archive.subarray(120 + 110, 120 + 121)), 'TRAILER!!!\0');
  assert.equal(archive.length % 4, 0);
});

test('a device carries its numbers', () => {
  const archive = new TextDecoder().decode(initramfs([{ kind: 'device', path: 'console', type: 'character', major: 5, minor: 1 }]));
  assert.equal(archive.slice(14, 22), '00002180');
  assert.equal(archive.slice(78, 94), '0000000500000001');
});

test('paths that no archive has are refused', () => {
  for (const path of ['', '/init', 'a\0b', 'x'.repeat(4096)]) assert.throws(() => initramfs([{ kind: 'folder', path }]), RangeError, path);
});

const unpackers: readonly [program: string, args: readonly string[]][] = [
  ['cpio', ['--extract', '--quiet', '--make-directories', '--preserve-modification-time']],
  ['busybox', ['cpio', '-i', '-d', '-m']],
];

for (const [program, args] of unpackers) {
  const skip = spawnSync(program, ['--help']).error === undefined ? false : `there is no ${program}`;
  test(`${program} unpacks what was packed`, { skip }, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'delos-initramfs-'));
    t.after(() => rmSync(folder, { recursive: true }));
    execFileSync(program, args, { cwd: folder, input: initramfs(entries), stdio: ['pipe', 'ignore', 'pipe'] });
    assert.equal(readFileSync(join(folder, 'bin/init'), 'utf8'), '#!/bin/sh\n');
    assert.equal(lstatSync(join(folder, 'bin/init')).mode & 0o7777, 0o755);
    assert.equal(lstatSync(join(folder, 'empty')).size, 0);
    assert.equal(readlinkSync(join(folder, 'bin/sh')), 'init');
    assert.equal(lstatSync(join(folder, 'n')).mode, 0o100600);
    assert.equal(readFileSync(join(folder, 'n'), 'utf8'), 'no padding:3');
    assert.equal(readFileSync(join(folder, 'näme'), 'utf8'), 'x');
  });
}
