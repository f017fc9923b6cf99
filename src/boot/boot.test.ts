import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestMemory } from '../../test/support/guest-memory.ts';
import { bzImage, elf, MEBIBYTE, multibootCode } from '../../test/support/kernel-image.ts';
import { cpuState } from '../cpu/state.ts';
import type { GuestMemory } from '../engine/memory.ts';
import { DelosError } from '../lib/errors.ts';
import { get } from '../lib/layout.ts';
import { boot, loaderOf } from './catalogue.ts';
import { loadFirmware } from './firmware.ts';
import { loadFlat } from './flat.ts';
import { linux32 } from './linux.ts';
import { multiboot } from './multiboot.ts';

const request = { commandLine: 'console=ttyS0' } as const;

function register(state: Uint8Array, name: keyof typeof cpuState.fields): number | bigint {
  const { offset, type } = cpuState.fields[name];
  return get(new DataView(state.buffer), offset, type);
}

function viewAt(memory: GuestMemory, address: number, length: number): DataView {
  const bytes = memory.bytes(address, length);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function stringAt(memory: GuestMemory, address: number): string {
  const bytes = memory.bytes(address, 256);
  return new TextDecoder('latin1').decode(bytes.subarray(0, bytes.indexOf(0)));
}

const refused = (sentence: RegExp) => (error: unknown): boolean =>
  error instanceof DelosError && error.code === 'bad-kernel' && sentence.test(error.message) && !error.message.includes('\n');

test('the 64-bit protocol: code at pref_address, entry 0x200 behind it, RSI on the zero page, paging and segments as boot.rst says', () => {
  const memory = guestMemory([0, 64 * MEBIBYTE]);
  const kernel = bzImage();
  assert.equal(loaderOf(kernel).name, 'Linux by the 64-bit boot protocol');
  const state = boot({ ...request, kernel, initrd: new Uint8Array(5000).fill(7), acpi: { tables: [{ address: 0xe0000, bytes: new Uint8Array([1, 2]) }], rsdp: 0xe0000 } }, memory);
  assert.equal(register(state, 'rip'), 0x1000200);
  assert.deepEqual(memory.bytes(0x1000000, 4096), new Uint8Array(4096).fill(0x90));
  const zeroPage = Number(register(state, 'rsi'));
  const page = viewAt(memory, zeroPage, 4096);
  assert.equal(page.getUint32(0x202, true), 0x53726448);
  assert.equal(page.getUint8(0x210), 0xff);
  assert.equal(page.getUint32(0x214, true), 0x1000000);
  assert.equal(stringAt(memory, page.getUint32(0x228, true)), 'console=ttyS0');
  assert.equal(page.getBigUint64(0x70, true), 0xe0000n);
  assert.deepEqual([...memory.bytes(0xe0000, 2)], [1, 2]);
  const [initrd, size] = [page.getUint32(0x218, true), page.getUint32(0x21c, true)];
  assert.deepEqual([initrd, size], [64 * MEBIBYTE - 8192, 5000]);
  assert.deepEqual(memory.bytes(initrd, size), new Uint8Array(5000).fill(7));
  assert.equal(Number(register(state, 'cr0')) & 1, 1);
  assert.ok(Number(register(state, 'cr0')) >= 2 ** 31);
  assert.equal(register(state, 'cr4'), 1 << 5);
  assert.equal(register(state, 'efer'), 0x500);
  assert.deepEqual([register(state, 'csSelector'), register(state, 'csAttributes'), register(state, 'dsSelector'), register(state, 'dsAttributes')], [0x10, 0xa09b, 0x18, 0xc093]);
  assert.equal(register(state, 'rflags'), 2);
});

test("the zero page's map: low memory, the hole below 1 MiB, the rest, what is above 4 GiB, ACPI's tables apart", () => {
  const memory = guestMemory([0, 64 * MEBIBYTE], [0xfffc0000, 0x40000, true], [0x1_0000_0000, MEBIBYTE]);
  boot({ ...request, kernel: bzImage(), acpi: { tables: [{ address: 63 * MEBIBYTE + 16, bytes: new Uint8Array(5000) }], rsdp: 63 * MEBIBYTE + 16 } }, memory);
  const page = viewAt(memory, 0x7000, 4096);
  const entries = Array.from({ length: page.getUint8(0x1e8) }, (_, index) => {
    const at = 0x2d0 + index * 20;
    return [Number(page.getBigUint64(at, true)), Number(page.getBigUint64(at + 8, true)), page.getUint32(at + 16, true)];
  });
  assert.deepEqual(entries, [
    [0, 0x9fc00, 1], [0x9fc00, 0x60400, 2], [0x100000, 62 * MEBIBYTE, 1], [63 * MEBIBYTE, 8192, 3], [63 * MEBIBYTE + 8192, MEBIBYTE - 8192, 1],
    [0xfffc0000, 0x40000, 2], [0x1_0000_0000, MEBIBYTE, 1],
  ]);
});

test('page tables of the 64-bit entry map the first 4 GiB to themselves', () => {
  const memory = guestMemory([0, 32 * MEBIBYTE]);
  const state = boot({ ...request, kernel: bzImage() }, memory);
  const entry = (table: bigint, index: number): bigint => viewAt(memory, Number(table & ~0xfffn) + index * 8, 8).getBigUint64(0, true);
  for (const address of [0, 0x7000, 0x1000000, 0xfee00000, 0xffffffff]) {
    const directories = entry(BigInt(register(state, 'cr3')), 0);
    const directory = entry(directories, address >>> 30);
    const page = entry(directory, (address >>> 21) & 511);
    assert.equal(page & 0x83n, 0x83n);
    assert.equal(Number(page & ~0x1fffffn) + (address & 0x1fffff), address);
  }
});

test('the descriptors in memory are those in the segment registers', () => {
  const memory = guestMemory([0, 32 * MEBIBYTE]);
  const state = boot({ ...request, kernel: bzImage() }, memory);
  const table = viewAt(memory, Number(register(state, 'gdtrBase')), Number(register(state, 'gdtrLimit')) + 1);
  assert.equal(table.getBigUint64(0x10, true), 0x00af9b000000ffffn);
  assert.equal(table.getBigUint64(0x18, true), 0x00cf93000000ffffn);
  assert.equal(table.getBigUint64(0x20, true), 0x00008b0000000067n);
});

test('the 32-bit protocol: flat protected mode without paging, for kernels without the 64-bit entry', () => {
  const memory = guestMemory([0, 32 * MEBIBYTE]);
  const kernel = bzImage({ xloadflags: 0 });
  assert.equal(loaderOf(kernel).name, 'Linux by the 32-bit boot protocol');
  const state = linux32.load({ ...request, kernel }, memory);
  assert.deepEqual([register(state, 'rip'), register(state, 'rsi'), register(state, 'csAttributes'), register(state, 'cr0')], [0x1000000, 0x7000, 0xc09b, 0x11]);
  assert.deepEqual(['rbx', 'rbp', 'rdi'].map((name) => register(state, name as 'rbx')), [0, 0, 0]);
});

test('a kernel before protocol 2.10 is loaded at 1 MiB; setup_sects of 0 means 4', () => {
  const memory = guestMemory([0, 32 * MEBIBYTE]);
  const state = boot({ ...request, kernel: bzImage({ version: 0x204, setupSectors: 0 }) }, memory);
  assert.equal(register(state, 'rip'), 0x100000);
  assert.equal(memory.bytes(0x100000, 1)[0], 0x90);
});

test('PVH: EBX on the start information with modules, command line, map and RSDP', () => {
  const memory = guestMemory([0, 16 * MEBIBYTE]);
  const kernel = elf({ pvhEntry: 0x100020, memorySize: 8192 });
  memory.bytes(0x100000, 8192).fill(0xff);
  assert.equal(loaderOf(kernel).name, 'ELF by PVH');
  const state = boot({ ...request, kernel, initrd: new Uint8Array(100).fill(9), modules: [{ bytes: new Uint8Array(5000).fill(8), commandLine: 'two' }], acpi: { tables: [], rsdp: 0xf0000 } }, memory);
  assert.deepEqual([register(state, 'rip'), register(state, 'cr0'), register(state, 'cr4')], [0x100020, 0x11, 0]);
  assert.deepEqual([...memory.bytes(0x100000 + 63, 2)], [0x90, 0]);
  const info = viewAt(memory, Number(register(state, 'rbx')), 56);
  assert.deepEqual([info.getUint32(0, true), info.getUint32(4, true), info.getUint32(12, true)], [0x336ec578, 1, 2]);
  const list = viewAt(memory, Number(info.getBigUint64(16, true)), 64);
  assert.deepEqual([list.getBigUint64(0, true), list.getBigUint64(8, true)], [BigInt(16 * MEBIBYTE - 4096), 100n]);
  assert.deepEqual([list.getBigUint64(32, true), list.getBigUint64(40, true)], [BigInt(16 * MEBIBYTE - 4096 - 8192), 5000n]);
  assert.equal(stringAt(memory, Number(list.getBigUint64(48, true))), 'two');
  assert.equal(stringAt(memory, Number(info.getBigUint64(24, true))), 'console=ttyS0');
  assert.equal(info.getBigUint64(32, true), 0xf0000n);
  assert.equal(info.getUint32(48, true), 3);
  assert.equal(viewAt(memory, Number(info.getBigUint64(40, true)), 72).getBigUint64(56, true), BigInt(15 * MEBIBYTE));
});

test('multiboot of an ELF file: EAX and EBX, memory, modules behind the kernel on their own pages', () => {
  const memory = guestMemory([0, 16 * MEBIBYTE]);
  const kernel = elf({ wide: false, entry: 0x10000c, code: multibootCode(3), memorySize: 0x3001 });
  assert.equal(loaderOf(kernel), multiboot);
  const state = boot({ ...request, kernel, modules: [{ bytes: new Uint8Array([5]), commandLine: 'first one' }, { bytes: new Uint8Array([6]), commandLine: '' }] }, memory);
  assert.deepEqual([register(state, 'rip'), register(state, 'rax'), register(state, 'cr0')], [0x10000c, 0x2badb002, 0x11]);
  const info = viewAt(memory, Number(register(state, 'rbx')), 116);
  assert.equal(info.getUint32(0, true), 0b1001001101);
  assert.deepEqual([info.getUint32(4, true), info.getUint32(8, true)], [639, 15 * 1024]);
  assert.equal(stringAt(memory, info.getUint32(16, true)), 'console=ttyS0');
  assert.equal(info.getUint32(20, true), 2);
  const modules = viewAt(memory, info.getUint32(24, true), 32);
  assert.deepEqual([modules.getUint32(0, true), modules.getUint32(4, true)], [0x104000, 0x104001]);
  assert.deepEqual([modules.getUint32(16, true), modules.getUint32(20, true)], [0x105000, 0x105001]);
  assert.equal(stringAt(memory, modules.getUint32(8, true)), 'first one');
  assert.deepEqual([...memory.bytes(0x104000, 1), ...memory.bytes(0x105000, 1)], [5, 6]);
  const map = viewAt(memory, info.getUint32(48, true), info.getUint32(44, true));
  assert.equal(map.byteLength, 72);
  assert.deepEqual([map.getUint32(48, true), map.getBigUint64(52, true), map.getBigUint64(60, true), map.getUint32(68, true)], [20, 0x100000n, BigInt(15 * MEBIBYTE), 1]);
});

test("multiboot by the header's own addresses", () => {
  const memory = guestMemory([0, 4 * MEBIBYTE]);
  const kernel = multibootCode(0x10003, [0x200010, 0x200000, 0, 0x201000, 0x200020]);
  const padded = new Uint8Array(kernel.length + 16);
  padded.set(kernel, 16);
  const state = boot({ ...request, kernel: padded }, memory);
  assert.equal(register(state, 'rip'), 0x200020);
  assert.equal(viewAt(memory, 0x200010, 4).getUint32(0, true), 0x1badb002);
});

test('flat images run in real mode, at 0x7c00 with CS 0 and anywhere', () => {
  const memory = guestMemory([0, 4 * MEBIBYTE]);
  const code = new Uint8Array([0xf4]);
  const at = (address: number): unknown[] => {
    const state = loadFlat(code, address, memory);
    assert.equal(memory.bytes(address, 1)[0], 0xf4);
    return ['csSelector', 'csBase', 'rip', 'rsp'].map((name) => register(state, name as 'rip'));
  };
  assert.deepEqual(at(0x7c00), [0, 0, 0x7c00, 0x7c00]);
  assert.deepEqual(at(0x12345), [0x1234, 0x12340, 5, 0x7c00]);
  assert.deepEqual(at(0x200008), [0, 0x200000, 8, 0x7c00]);
  assert.throws(() => loadFlat(code, 4 * MEBIBYTE, memory), refused(/no memory for the image at 0x400000/));
});

test('a BIOS image ends at 4 GiB and at 1 MiB, and runs from the reset vector', () => {
  const memory = guestMemory([0, MEBIBYTE], [0x1_0000_0000 - 0x40000, 0x40000, true]);
  const image = Uint8Array.from({ length: 0x40000 }, (_, at) => (at * 7) >> 8);
  const state = loadFirmware(image, memory);
  assert.deepEqual(memory.bytes(0xfffc0000, 0x40000), image);
  assert.deepEqual(memory.bytes(0xe0000, 0x20000), image.subarray(0x20000));
  assert.deepEqual(['csSelector', 'csBase', 'rip', 'cr0', 'rflags'].map((name) => register(state, name as 'rip')), [0xf000, 0xffff0000, 0xfff0, 0x60000010, 2]);
  assert.throws(() => loadFirmware(new Uint8Array(1000), memory), refused(/multiple of 64 KiB/));
  assert.throws(() => loadFirmware(new Uint8Array(0x80000), memory), refused(/no memory for the firmware/));
});

test('what cannot be booted is refused in one line', () => {
  const small = guestMemory([0, 2 * MEBIBYTE]);
  const large = guestMemory([0, 32 * MEBIBYTE]);
  const cases: readonly [kernel: Uint8Array, memory: GuestMemory, sentence: RegExp][] = [
    [new Uint8Array(), large, /neither a bzImage/],
    [new Uint8Array(5000).fill(0x90), large, /neither a bzImage nor an ELF file with a PVH entry, and has no multiboot header/],
    [elf(), large, /neither a bzImage/],
    [bzImage({ version: 0x203 }), large, /boot protocol 2\.03, which is too old/],
    [bzImage({ loadFlags: 0 }), large, /zImage/],
    [bzImage({ code: 100 }), large, /cut off/],
    [bzImage().subarray(0, 0x230), large, /cut off/],
    [bzImage({ setupSectors: 255 }).subarray(0, 1024), large, /cut off/],
    [bzImage(), small, /too little memory: the kernel needs 0x1000000 to 0x1008000/],
    [bzImage({ initSize: 0xffffffff }), large, /too little memory/],
    [elf({ pvhEntry: 0x100000 }).subarray(0, 150), large, /cut off/],
    [elf({ pvhEntry: 0x100000, address: 0x9fff0 }), large, /too little memory/],
    [elf({ pvhEntry: 0x100000, memorySize: 2 ** 52 }), large, /too little memory/],
    [elf({ pvhEntry: 0x100000, memorySize: 10 }), large, /a segment of 10 bytes with 64 of them in the file/],
    [elf({ wide: false, code: multibootCode(3 | 4) }), large, /asks for what is not there: flags 0x7/],
    [multibootCode(0x10003, [0x200000, 0x200010, 0, 0, 0]), large, /in front of what it loads/],
    [multibootCode(0x10003, [0x200000, 0x200000, 0x200000 + 1000, 0, 0]), large, /cut off/],
    [multibootCode(3), large, /without addresses and is no ELF file/],
  ];
  for (const [kernel, memory, sentence] of cases) assert.throws(() => boot({ ...request, kernel }, memory), refused(sentence), String(sentence));
});

test('command lines and initrds that do not fit are refused', () => {
  const memory = guestMemory([0, 32 * MEBIBYTE]);
  const kernel = bzImage();
  assert.throws(() => boot({ kernel, commandLine: 'x'.repeat(2048) }, memory), refused(/has 2048 characters, the kernel takes 2047/));
  assert.throws(() => boot({ kernel, commandLine: 'a€' }, memory), refused(/no byte, "€"/));
  assert.throws(() => boot({ kernel, commandLine: '', initrd: new Uint8Array(20 * MEBIBYTE) }, memory), refused(/too little memory: the initrd needs 20971520 bytes/));
});
