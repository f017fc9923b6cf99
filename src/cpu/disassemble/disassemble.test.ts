import assert from 'node:assert/strict';
import { test } from 'node:test';
import { disassemble } from './disassemble.ts';

const of = (hex: string, codeSize: 16 | 32 | 64 = 64, address = 0x1000n) => disassemble(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')), address, codeSize);

test('the same bytes read by the size of their code', () => {
  assert.equal(of('b8 34 12 00 00', 16).text, 'mov    ax,0x1234');
  assert.equal(of('b8 34 12 00 00', 32).text, 'mov    eax,0x1234');
  assert.equal(of('48 b8 34 12 00 00 00 00 00 00').text, 'movabs rax,0x1234');
  assert.equal(of('8b 07', 16).text, 'mov    ax,WORD PTR [bx]');
});

test('branches and addresses relative to RIP tell where they lead', () => {
  const { mnemonic, operands, target, length } = of('74 fe');
  assert.deepEqual({ mnemonic, operands, target, length }, { mnemonic: 'je', operands: '0x1000', target: 0x1000n, length: 2 });
  assert.equal(of('48 8d 3d 10 00 00 00').text, 'lea    rdi,[rip+0x10]        # 0x1017');
  assert.equal(of('eb fe', 16, 0x1fff0n).target, 0x1fff0n);
});

test('prefixes stand before the name, those that mean nothing too', () => {
  assert.deepEqual(of('f3 48 ab').text, 'rep stos QWORD PTR es:[rdi],rax');
  assert.equal(of('f0 0f b1 0f').text, 'lock cmpxchg DWORD PTR [rdi],ecx');
  assert.equal(of('2e 66 66 0f 1f 00').text, 'cs data16 nop WORD PTR [rax]');
});

test('a form with a prefix of its own is that, not the one without', () => {
  assert.deepEqual(['f30fbcc1', '0fbcc1', 'f30fbdc1', 'f390', '90'].map((bytes) => of(bytes).mnemonic), ['tzcnt', 'bsf', 'lzcnt', 'pause', 'nop']);
});

test('MOV with control registers does not look at what tells memory', () => {
  assert.equal(of('0f 22 18').text, 'mov    cr3,rax');
});

test('what is no instruction is said to be none', () => {
  const { length, text } = of('0f 04 90');
  assert.deepEqual({ length, text }, { length: 1, text: '(bad)' });
  assert.equal(of('48 b8 01').text, '.byte  0x48');
  assert.equal(of('66'.repeat(16)).length, 15);
});
