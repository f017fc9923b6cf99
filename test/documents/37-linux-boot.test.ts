/** Number 37, references 2.10.37.a-h: a kernel's boot header, where its parts go, and that it finds them. Linux itself: `vm/linux-interpreter`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boot } from '../../src/boot/catalogue.ts';
import { engines, TestGuest } from '../support/guest.ts';
import { guestMemory } from '../support/guest-memory.ts';
import { bzImage, MEBIBYTE } from '../support/kernel-image.ts';

const commandLine = 'console=ttyS0';
const zeroPage = 0x7000;
const words = 'Hi from the command line\n';

/** A kernel that prints its command line: mov esi, [rsi + 0x228]; mov edx, 0x3f8; again: lodsb; test al, al; jz over; out dx, al; jmp again; over: hlt */
function talkative(version: number, xloadflags: number): Uint8Array {
  const kernel = bzImage({ version, xloadflags });
  const code = Buffer.from('8bb628020000 baf8030000 ac 84c0 7403 ee ebf8 f4'.replaceAll(' ', ''), 'hex');
  for (const entry of [0, 0x200]) kernel.set(code, 1024 + entry);
  return kernel;
}

test('test_linux_boot: the header, and where things go', () => {
  const kernel = bzImage({ version: 0x206, xloadflags: 0 });
  const view = new DataView(kernel.buffer);
  assert.deepEqual([view.getUint8(0x1f1), view.getUint16(0x1fe, true)], [1, 0xaa55]);
  assert.equal(Buffer.from(kernel.subarray(0x202, 0x206)).toString(), 'HdrS');
  const memory = guestMemory([0, 64 * MEBIBYTE]);
  boot({ kernel, commandLine, initrd: new Uint8Array(100).fill(7) }, memory);
  assert.deepEqual(memory.bytes(0x100000, 4096), kernel.subarray(1024), 'the protected-mode kernel at 0x100000');
  const page = Buffer.from(memory.bytes(zeroPage, 4096));
  assert.equal(page.subarray(0x202, 0x206).toString(), 'HdrS');
  const at = page.readUInt32LE(0x228);
  assert.equal(Buffer.from(memory.bytes(at, commandLine.length + 1)).toString(), `${commandLine}\0`);
  assert.deepEqual(memory.bytes(page.readUInt32LE(0x218), page.readUInt32LE(0x21c)), new Uint8Array(100).fill(7));
});

test('test_linux_boot: what is no kernel', () => {
  const memory = guestMemory([0, 64 * MEBIBYTE]);
  for (const offset of [0x1fe, 0x202]) {
    const kernel = bzImage();
    kernel[offset] = 0;
    assert.throws(() => boot({ kernel, commandLine }, memory), { code: 'bad-kernel' });
  }
});

for (const { engine, skip } of engines) {
  for (const [protocol, version, flags, entry] of [['32-bit', 0x206, 0, 0x100000], ['64-bit', 0x20f, 1, 0x1000200]] as const) {
    test(`test_linux_boot on ${engine.name}: by the ${protocol} protocol it begins at 0x${entry.toString(16)} and finds its command line`, { skip }, () => {
      using guest = new TestGuest(new Uint8Array(), { engine, regions: [{ guestAddress: 0, size: 64 * MEBIBYTE }] });
      const state = boot({ kernel: talkative(version, flags), commandLine: words }, guest.memory);
      guest.load(state);
      assert.equal(Number(guest.get('rip')), entry);
      assert.deepEqual(guest.run(), { kind: 'halt' });
      assert.equal(guest.output, words);
    });
  }
}
