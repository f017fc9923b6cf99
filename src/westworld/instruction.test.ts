import assert from 'node:assert/strict';
import { test } from 'node:test';
import { characterOf, decode, textOf, type Instruction } from './instruction.ts';

const decoded = (...bytes: number[]): Instruction => {
  const instruction = decode(Uint8Array.from(bytes));
  return typeof instruction === 'string' ? assert.fail(instruction) : instruction;
};

test('each encoding has its name, length and operand', () => {
  assert.deepEqual(decoded(0xba, 0xf8, 0x03), { name: 'mov dx', length: 3, operand: 0x3f8 });
  assert.deepEqual(decoded(0xb0, 0xff), { name: 'mov al', length: 2, operand: 0xff });
  assert.deepEqual(decoded(0xee), { name: 'out', length: 1, operand: 0 });
  assert.deepEqual(decoded(0xf4), { name: 'hlt', length: 1, operand: 0 });
  assert.deepEqual(decoded(0xec), { name: 'in', length: 1, operand: 0 });
  assert.deepEqual(decoded(0xeb, 0xfe), { name: 'jmp', length: 2, operand: -2 });
  assert.deepEqual(decoded(0x66, 0xb8, 0x00, 0x00, 0x00, 0x40), { name: 'mov eax', length: 6, operand: 0x4000_0000 });
  assert.deepEqual(decoded(0xa0, 0x34, 0x12), { name: 'load al', length: 3, operand: 0x1234 });
  assert.deepEqual(decoded(0x67, 0xa2, 0x00, 0x00, 0xe0, 0xfe), { name: 'store al', length: 6, operand: 0xfee0_0000 });
  assert.deepEqual(decoded(0x0f, 0x01, 0xd9).name, 'vmmcall');
});

test('another encoding of the same is the same', () => {
  assert.deepEqual(decoded(0xc6, 0xc0, 0x48), { name: 'mov al', length: 3, operand: 0x48 });
  assert.deepEqual(decoded(0xc7, 0xc2, 0xf8, 0x03), { name: 'mov dx', length: 4, operand: 0x3f8 });
  assert.deepEqual(decoded(0xe9, 0xfd, 0xff), { name: 'jmp', length: 3, operand: -3 });
  assert.deepEqual(decoded(0x8a, 0x06, 0x34, 0x12), { name: 'load al', length: 4, operand: 0x1234 });
});

test('what follows an instruction is not looked at', () => {
  assert.deepEqual(decoded(0x90, 0x0f, 0x0f, 0x0f), { name: 'nop', length: 1, operand: 0 });
});

test('an instruction that memory cuts off is truncated, whatever would come', () => {
  for (const code of [[], [0xba], [0xba, 0xf8], [0xb0], [0x0f], [0x0f, 0x01], [0x66], [0x67, 0xa0, 1, 2, 3]]) assert.equal(decode(Uint8Array.from(code)), 'truncated', String(code));
});

test('what a processor has and the exercise does not is unknown, as is what there is not', () => {
  for (const code of [[0x06], [0x0f, 0x04], [0x0f, 0xff, 0xc0], [0x00, 0x00], [0xb4, 0x48], [0x89, 0xd8], [0xf0, 0x90], [0xef], [0x66, 0xe9, 0, 0, 0, 0], [0x0f, 0x01, 0xc2]]) assert.equal(decode(Uint8Array.from(code)), 'unknown', String(code));
});

test('a view in the middle of a buffer is read from its own beginning', () => {
  assert.deepEqual(decode(Uint8Array.of(0, 0, 0xba, 0xf8, 0x03).subarray(2)), { name: 'mov dx', length: 3, operand: 0x3f8 });
});

test('text is as an assembler has it', () => {
  assert.equal(textOf(decoded(0xba, 0xf8, 0x03), 0n), 'mov dx, 0x3f8');
  assert.equal(textOf(decoded(0xb0, 0x48), 0n), "mov al, 'H'");
  assert.equal(textOf(decoded(0xeb, 0xfe), 0x7c00n), 'jmp 0x7c00');
  assert.deepEqual([0x0a, 0x21, 0x00, 0x7f].map(characterOf), ["'\\n'", "'!'", '0x0', '0x7f']);
});
