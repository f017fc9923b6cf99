import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { kvm } from '../../src/engine/kvm.ts';
import { root } from '../../tools/files.ts';

const folder = mkdtempSync(join(tmpdir(), 'delos-vm-run-'));
after(() => rmSync(folder, { recursive: true }));

const guest = join(folder, 'hi.bin');
// mov dx, 0x3f8; then of 'H', 'i' and a newline: mov al, it; out dx, al. Last mov al, 3; out 0xf4, al; hlt
writeFileSync(guest, Buffer.from('baf803b048eeb069eeb00aeeb003e6f4f4', 'hex'));

function vmRun(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(join(root, 'delos'), ['vm', 'run', ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
}

for (const [engine, skip] of [['interpreter', true], ['kvm', kvm.available()]] as const) {
  test(`a flat guest on ${engine} speaks by its serial port and ends by the debug port`, { skip: skip !== true && skip }, () => {
    const { status, stdout, stderr } = vmRun('--flat', guest, '--engine', engine);
    assert.deepEqual({ status, stdout, stderr }, { status: 7, stdout: 'Hi\n', stderr: '' });
  });
}

test('its serial port goes to a file, whole', () => {
  const file = join(folder, 'serial');
  assert.equal(vmRun('--flat', guest, '--engine', 'interpreter', '--serial', `file:${file}`).status, 7);
  assert.equal(readFileSync(file, 'utf8'), 'Hi\n');
});

test('what can not be started is told in one line', () => {
  const mistakes: readonly (readonly [RegExp, ...string[]])[] = [
    [/one of --kernel, --firmware and --flat/], [/one of --kernel/, '--flat', guest, '--kernel', guest], [/--kernel: \/nowhere can't be read/, '--kernel', '/nowhere'],
    [/neither a bzImage nor an ELF file/, '--kernel', guest], [/no engine qemu/, '--flat', guest, '--engine', 'qemu'], [/--serial: tcp is neither/, '--flat', guest, '--serial', 'tcp'],
    [/--serial: \/nowhere\/x can't be written/, '--flat', guest, '--serial', 'file:/nowhere/x'], [/whole pages/, '--flat', guest, '--memory', '5'],
  ];
  for (const [sentence, ...words] of mistakes) {
    const { status, stdout, stderr } = vmRun(...words);
    assert.match(stderr, sentence);
    assert.deepEqual([stdout, stderr.trim().split('\n').length, status === 0], ['', 1, false], words.join(' '));
  }
});
