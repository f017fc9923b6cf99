import assert from 'node:assert/strict';
import { test } from 'node:test';
import { and, arithmetic, BPF_ALU, BPF_A, BPF_LD, BPF_LEN, BPF_MEM, BPF_MISC, BPF_RET, BPF_ST, BPF_TAX, BPF_TXA, BPF_X, jump, jumpAlways, label, load, ret } from './classic.ts';
import type { Arithmetic, ClassicItem, Condition } from './classic.ts';
import { assembleClassic } from './classic-assemble.ts';
import { printClassic } from './classic-print.ts';
import { runClassic } from './classic-run.ts';

/** Eight bytes of data: two words, little endian. */
function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

function run(items: readonly ClassicItem[], ...data: number[]): number {
  return runClassic(assembleClassic(items), words(...data));
}

test('instructions have the encoding of struct sock_filter', () => {
  // code u16, jt u8, jf u8, k u32: BPF_STMT and BPF_JUMP of <linux/filter.h> give the same.
  const program = assembleClassic([load(4), jump('jeq', 0xc000003e, undefined, 'no'), ret(0x7fff0000), label('no'), ret(0)]);
  assert.equal(Buffer.from(program).toString('hex'), '2000000004000000150000013e0000c0060000000000ff7f0600000000000000');
});

test('a jump to the place that follows takes no room', () => {
  assert.equal(assembleClassic([jumpAlways('on'), label('on'), ret(1)]).length, 8);
});

test('jumps compare unsigned', () => {
  const taken = (condition: Condition, left: number, right: number): boolean =>
    run([load(0), jump(condition, right, 'yes', undefined), ret(0), label('yes'), ret(1)], left) === 1;
  assert.ok(taken('jgt', 0xffffffff, 0x7fffffff));
  assert.ok(!taken('jgt', 5, 5));
  assert.ok(taken('jge', 0x80000000, 0x80000000));
  assert.ok(!taken('jge', 0x7fffffff, 0x80000000));
  assert.ok(taken('jset', 0x80000001, 0x80000000));
  assert.ok(!taken('jset', 1, 2));
  assert.ok(taken('jeq', 0xffffffff, 0xffffffff));
});

/** Many values, each with its own return, so that goals lie further than jt and jf reach. */
function farProgram(count: number): ClassicItem[] {
  const values = Array.from({ length: count }, (_, value) => value);
  return [
    load(0),
    ...values.map((value) => jump('jeq', value, `is ${value}`, undefined)),
    jumpAlways('other'),
    ...values.flatMap((value) => [label(`is ${value}`), ret(1000 + value)]),
    label('other'),
    ret(1),
  ];
}

test('a branch reaches any distance, on either side and on both', () => {
  for (const count of [100, 127, 128, 129, 254, 255, 256, 257, 600, 1500]) {
    const program = assembleClassic(farProgram(count));
    for (const value of [0, 1, count >> 1, count - 2, count - 1]) assert.equal(runClassic(program, words(value)), 1000 + value, `${value} of ${count}`);
    assert.equal(runClassic(program, words(count)), 1, `none of ${count}`);
  }
  for (let gap = 250; gap < 262; gap++) {
    const both: ClassicItem[] = [load(0), jump('jeq', 7, 'a', 'b'), ...Array.from({ length: gap }, () => ret(9)), label('a'), ret(1), label('b'), ret(2)];
    assert.equal(run(both, 7), 1, `gap ${gap}`);
    assert.equal(run(both, 8), 2, `gap ${gap}`);
    const swapped: ClassicItem[] = [load(0), jump('jeq', 7, 'b', 'a'), ...Array.from({ length: gap }, () => ret(9)), label('a'), ret(1), label('b'), ret(2)];
    assert.equal(run(swapped, 7), 2, `gap ${gap}`);
    assert.equal(run(swapped, 8), 1, `gap ${gap}`);
  }
});

test('far branches to one label share a long jump', () => {
  const far = [load(0), jump('jeq', 1, 'end', undefined), jump('jeq', 2, 'end', undefined), ...Array.from({ length: 300 }, () => and(0xff)), label('end'), ret(5)];
  assert.equal(assembleClassic(far).length / 8, 1 + 2 + 1 + 300 + 1);
  assert.equal(run(far, 1), 5);
  assert.equal(run(far, 2), 5);
});

test('a label that is missing, behind, or given twice is a bug and said', () => {
  assert.throws(() => assembleClassic([jumpAlways('nowhere'), ret(0)]), /no label nowhere/);
  assert.throws(() => assembleClassic([label('back'), load(0), jumpAlways('back')]), /no label back/);
  assert.throws(() => assembleClassic([label('a'), label('a'), ret(0)]), /label a is given twice/);
});

test('the interpreter knows arithmetic, scratch memory and the index register', () => {
  const calculate = (op: Arithmetic, left: number, k: number): number => run([load(0), { code: BPF_ALU | arithmetic[op], k }, { code: BPF_RET | BPF_A, k: 0 }], left);
  assert.equal(calculate('add', 0xffffffff, 2), 1);
  assert.equal(calculate('sub', 0, 1), 0xffffffff);
  assert.equal(calculate('mul', 0x10001, 0x10001), 0x20001);
  assert.equal(calculate('div', 7, 2), 3);
  assert.equal(calculate('mod', 7, 4), 3);
  assert.equal(calculate('or', 0x80000000, 1), 0x80000001);
  assert.equal(calculate('xor', 0xffffffff, 0xf), 0xfffffff0);
  assert.equal(calculate('lsh', 0xc0000000, 1), 0x80000000);
  assert.equal(calculate('rsh', 0x80000000, 31), 1);
  assert.equal(calculate('neg', 1, 0), 0xffffffff);
  const viaScratch = [load(0), { code: BPF_ST, k: 3 }, load(4), { code: BPF_MISC | BPF_TAX, k: 0 }, { code: BPF_LD | BPF_MEM, k: 3 },
    { code: BPF_ALU | BPF_X, k: 0 }, { code: BPF_RET | BPF_A, k: 0 }];
  assert.equal(run(viaScratch, 40, 2), 42);
  assert.equal(run([{ code: BPF_LD | BPF_LEN, k: 0 }, { code: BPF_MISC | BPF_TAX, k: 0 }, { code: BPF_MISC | BPF_TXA, k: 0 }, { code: BPF_RET | BPF_A, k: 0 }], 1, 2), 8);
});

test('the interpreter refuses what the kernel would not load', () => {
  assert.throws(() => run([load(0)], 1), /instruction 1 is outside/);
  assert.throws(() => run([{ code: 0x28, k: 0 }, ret(0)], 1), /not allowed in a seccomp filter/);
  assert.throws(() => run([{ code: BPF_ST, k: 16 }, ret(0)], 1), /scratch word 16/);
});

test('a program is printed with places for goals and notes that know the loaded word', () => {
  const program = assembleClassic([load(4), jump('jeq', 0x3e, undefined, 'no'), load(0), jump('jge', 10, 'no', undefined), and(1), ret(5), label('no'), ret(0)]);
  const text = printClassic(program, ({ kind, k, word }) => (kind === 'compare' ? `word ${word}, ${k}` : undefined));
  assert.equal(text, [
    '0: ld [4]',
    '1: jeq 0x3e ? 2 : 6                      ; word 4, 62',
    '2: ld [0]',
    '3: jge 0xa ? 6 : 4                       ; word 0, 10',
    '4: and 0x1',
    '5: ret 0x5',
    '6: ret 0x0',
  ].join('\n'));
});
