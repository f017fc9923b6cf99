/** Number 30, references 2.10.30.a-g: 64-bit mode with page tables and descriptors, and code that only runs there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IDENTITY_MAP_SIZE, identityMap } from '../../src/boot/page-tables.ts';
import { descriptors, GDT, longModeAt } from '../../src/boot/start-state.ts';
import { cpuState } from '../../src/cpu/state.ts';
import { get } from '../../src/lib/layout.ts';
import { engines, TestGuest } from '../support/guest.ts';

const tables = 0x10000;
const bit = (value: number | bigint, at: number): number => Number((BigInt(value) >> BigInt(at)) & 1n);

test('test_long_mode: bits and tables', () => {
  const view = new DataView(longModeAt(0x1000, tables).buffer);
  const value = (name: keyof typeof cpuState.fields): number | bigint => get(view, cpuState.fields[name].offset, cpuState.fields[name].type);
  assert.deepEqual([bit(value('cr0'), 0), bit(value('cr0'), 31), bit(value('cr4'), 5), bit(value('efer'), 8), bit(value('efer'), 10)], [1, 1, 1, 1, 1]);
  assert.equal(value('cr3'), tables);
  assert.deepEqual([value('csBase'), value('csLimit')], [0, 0xffffffff]);
  const attributes = Number(value('csAttributes'));
  assert.deepEqual([attributes & 15, bit(attributes, 4), (attributes >> 5) & 3, bit(attributes, 7)], [0xb, 1, 0, 1], 'type, S, DPL, P');
  assert.deepEqual([bit(attributes, 13), bit(attributes, 14), bit(attributes, 15)], [1, 0, 1], 'L, D, G');
  const entries = new BigUint64Array(identityMap(tables).buffer);
  assert.deepEqual([entries[0], entries[512], entries[1024], entries[1025]], [0x11003n, 0x12003n, 0x83n, 0x200083n]);
});

for (const { engine, skip } of engines) {
  test(`test_long_mode on ${engine.name}`, { skip }, async (context) => {
    const inLongMode = (code: string): TestGuest => {
      const guest = new TestGuest(Buffer.from(code, 'hex'), { engine, at: 0x8000, regions: [{ guestAddress: 0, size: 0x1000000 }] });
      guest.memory.bytes(tables, IDENTITY_MAP_SIZE).set(identityMap(tables));
      const table = descriptors(64);
      guest.memory.bytes(GDT, table.length).set(table);
      guest.load(longModeAt(0x8000, tables, { rsp: 0x7000 }));
      return guest;
    };

    await context.test('a 64-bit immediate, and the stack moves by 8', () => {
      // mov rax, 0x1122334455667788; push rax; mov r9, rax; hlt
      using guest = inLongMode('48b888776655443322115049 89c1f4'.replaceAll(' ', ''));
      assert.deepEqual(guest.run(), { kind: 'halt' });
      assert.deepEqual([guest.get('rax'), guest.get('r9'), guest.get('rsp')], [0x1122334455667788n, 0x1122334455667788n, 0x6ff8]);
    });

    await context.test('it says so by the port', () => {
      // mov rax, 'H' << 32; shr rax, 32; mov edx, 0x3f8; out dx, al; hlt
      using guest = inLongMode('48b8000000004800000048c1e820baf8030000eef4');
      assert.deepEqual(guest.run(), { kind: 'halt' });
      assert.equal(guest.output, 'H');
    });

    await context.test('memory beyond the first large page, and descriptors that can be loaded again', () => {
      // mov eax, 0x18; mov ds, eax; mov rbx, 0xffff00; mov qword [rbx], 0x5a; hlt
      using guest = inLongMode('b8180000008ed848c7c300ffff0048c7035a000000f4');
      assert.deepEqual(guest.run(), { kind: 'halt' });
      assert.equal(guest.memory.bytes(0xffff00, 1)[0], 0x5a);
      assert.equal(guest.get('dsSelector'), 0x18);
    });
  });
}
