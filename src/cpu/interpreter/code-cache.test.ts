import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBench, longMode } from '../../../test/support/processor.ts';
import { PAGE_TABLE_COUNT } from '../layout.ts';

/** `mov eax, N; jmp short +0; add rbx, rax`, then a jump to the next page, where the code is the same: a jump in its page just after each new table. */
function pageOf(number: number): Uint8Array {
  const bytes = Buffer.from('b800000000eb004801c3e900000000', 'hex');
  bytes.writeUInt32LE(number, 1);
  bytes.writeInt32LE(4096 - bytes.length, 11);
  return bytes;
}

test('more pages of code than it has tables for: all of them run, again and again', () => {
  const bench = createBench();
  longMode(bench);
  const { cpu, memory } = bench;
  const pages = PAGE_TABLE_COUNT + 500;
  const first = 0x100000;
  const ram = new Uint8Array(memory.buffer, memory.byteOffset);
  for (let page = 0; page < pages; page++) ram.set(pageOf(page), first + 4096 * page);
  // dec ecx; jnz first page; hlt
  const end = first + 4096 * pages;
  ram.set([0xff, 0xc9, 0x0f, 0x85], end);
  memory.setInt32(end + 4, first - (end + 8), true);
  ram.set([0xf4], end + 8);
  cpu.registers.setWide('rip', BigInt(first));
  cpu.registers.setWide('rbx', 0n);
  cpu.registers.setWide('rcx', 3n);
  while (cpu.run(1_000_000) === 'budget') continue;
  assert.equal(cpu.registers.wide('rip'), BigInt(end + 9));
  assert.equal(cpu.registers.wide('rbx'), BigInt((3 * pages * (pages - 1)) / 2));
  assert.equal(cpu.instructions, 3 * (4 * pages + 2) + 1);
});
