import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { root } from '../../tools/files.ts';
import { bzImage, elf, multibootCode } from '../support/kernel-image.ts';
import { seabiosFolder, seabiosImages } from '../support/seabios.ts';

const folder = mkdtempSync(join(tmpdir(), 'delos-vm-boot-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name.replaceAll(' ', '-'));
  writeFileSync(path, bytes);
  return path;
}

const seabios = seabiosFolder();

/** Runs firmware until the machine has said `words`, or for two minutes, of a busy host. @returns all that it said */
async function until(words: string, firmware: string): Promise<string> {
  const machine = spawn(join(root, 'delos'), ['vm', 'run', '--firmware', firmware, '--memory', '32m', '--engine', 'interpreter'], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 120_000 });
  let said = '';
  machine.stdout.setEncoding('latin1').on('data', (text: string) => {
    said += text;
    if (said.includes(words)) machine.kill();
  });
  await once(machine, 'close');
  return said;
}

for (const image of seabiosImages) {
  test(`Debian's SeaBIOS, ${image}, says who it is and that there is nothing to boot`, { skip: seabios.startsWith('there is no') && seabios }, async () => {
    const said = await until('No bootable device', join(seabios, image));
    assert.match(said, /SeaBIOS \(version 1\.\d+\.\d+-debian[^)]*\)\r\n[^]*No bootable device/);
  });
}

/** Says the zero-ended text that ESI points to, and ends with status 7: the same in 32 and in 64 bits. */
const sayText = [0xac, 0x84, 0xc0, 0x74, 0x07, 0x66, 0xba, 0xf8, 0x03, 0xee, 0xeb, 0xf4, 0xb0, 0x03, 0xe6, 0xf4, 0xf4];
/** mov esi, [ebx + n]; mov esi, [rsi + 0x228], where the zero page has it. */
const fromEbx = (at: number): number[] => [0x8b, 0x73, at, ...sayText];
const fromZeroPage = [0x8b, 0xb6, 0x28, 0x02, 0, 0, ...sayText];

function withCode(image: Uint8Array, at: number, code: readonly number[]): Uint8Array {
  image.set(code, at);
  return image;
}

const kernels: readonly (readonly [name: string, image: Uint8Array])[] = [
  ["Linux' 64-bit protocol", withCode(bzImage(), 1024 + 0x200, fromZeroPage)],
  ["Linux' 32-bit protocol", withCode(bzImage({ xloadflags: 0 }), 1024, fromZeroPage)],
  ['PVH', elf({ pvhEntry: 0x100000, code: Uint8Array.from(fromEbx(24)) })],
  ['multiboot', elf({ wide: false, entry: 0x10000c, code: withCode(multibootCode(3), 12, fromEbx(16)) })],
];

for (const [name, image] of kernels) {
  test(`a kernel by ${name} runs from its entry and finds its command line`, () => {
    const { status, stdout, stderr } = spawnSync(join(root, 'delos'), ['vm', 'run', '--kernel', file(name, image), '--append', 'a b=c', '--engine', 'interpreter'], { encoding: 'utf8', timeout: 60_000 });
    assert.deepEqual({ status, stdout, stderr }, { status: 7, stdout: 'a b=c', stderr: '' });
  });
}

/** Says the words of the second module: mov esi, [ebx + list]; mov esi, [esi + one entry + its words]. */
const secondModule = (list: number, words: number): number[] => [0x8b, 0x73, list, 0x8b, 0x76, words, ...sayText];

const withModules: readonly (readonly [name: string, image: Uint8Array])[] = [
  ['PVH', elf({ pvhEntry: 0x100000, code: Uint8Array.from(secondModule(16, 32 + 16)) })],
  ['multiboot', elf({ wide: false, entry: 0x10000c, code: withCode(multibootCode(3), 12, secondModule(24, 16 + 8)) })],
];

for (const [name, image] of withModules) {
  test(`a kernel by ${name} finds its modules with their words, behind the initrd`, () => {
    const words = ['--initrd', file('first', new Uint8Array(3)), '--module', `${file('second', new Uint8Array(5))} two words`, '--module', file('third', new Uint8Array(1))];
    const { status, stdout, stderr } = spawnSync(join(root, 'delos'), ['vm', 'run', '--kernel', file(`${name} modules`, image), ...words, '--engine', 'interpreter'], { encoding: 'utf8', timeout: 60_000 });
    assert.deepEqual({ status, stdout, stderr }, { status: 7, stdout: 'two words', stderr: '' });
  });
}

test('what can not be booted is told in one line, with the exit code of a run that could not begin', () => {
  const mistakes: readonly (readonly [RegExp, ...string[]])[] = [
    [/neither a bzImage nor an ELF file with a PVH entry, and has no multiboot header/, '--kernel', file('no magic', new Uint8Array(5000))],
    [/boot protocol 2\.03, which is too old/, '--kernel', file('old', bzImage({ version: 0x203 }))],
    [/too little memory: the kernel needs 0x1000000 to 0x1008000/, '--kernel', file('linux', bzImage()), '--memory', '8m'],
    [/too little memory: the initrd needs/, '--kernel', file('linux', bzImage()), '--memory', '32m', '--initrd', file('large', new Uint8Array(20 << 20))],
    [/the command line has 3000 characters/, '--kernel', file('linux', bzImage()), '--append', 'x'.repeat(3000)],
    [/takes an initrd and no modules/, '--kernel', file('linux', bzImage()), '--module', file('flat', Uint8Array.of(0xf4))],
    [/--module: \/nowhere can't be read/, '--kernel', file('linux', bzImage()), '--module', '/nowhere words'],
    [/--initrd and --module go with --kernel/, '--flat', file('flat', Uint8Array.of(0xf4)), '--initrd', file('flat', Uint8Array.of(0xf4))],
    [/the firmware has 1000 bytes; a BIOS image is a multiple of 64 KiB/, '--firmware', file('odd', new Uint8Array(1000))],
    [/the firmware has 0 bytes/, '--firmware', file('empty', new Uint8Array())],
    [/no memory for the firmware's copy/, '--firmware', file('bios', new Uint8Array(65536)), '--memory', '64k'],
    [/no memory for the image at 0x10000000/, '--flat', file('flat', Uint8Array.of(0xf4)), '--at', '0x10000000', '--memory', '8m'],
  ];
  for (const [sentence, ...words] of mistakes) {
    const { status, stdout, stderr } = spawnSync(join(root, 'delos'), ['vm', 'run', '--engine', 'interpreter', ...words], { encoding: 'utf8', timeout: 60_000 });
    assert.match(stderr, sentence);
    assert.deepEqual([stdout, stderr.trim().split('\n').length, status], ['', 1, 125], words.join(' '));
  }
});
