/** What ring 3 of silicon cannot show of MMX and SSE: control bits that forbid them, and x87's stack under MMX. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBench, execute, handled, longMode, type Bench } from '../../../test/support/processor.ts';

const CR4_OSFXSR = 1 << 9;
const CR4_OSXMMEXCPT = 1 << 10;
const [UD, NM, MF, XM] = [6, 7, 16, 19];

/** With CR0.EM and TS, and all of SSE unless it is said otherwise. */
function bench({ em = false, ts = false, cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT } = {}): Bench {
  const b = createBench();
  longMode(b);
  const { registers } = b.cpu;
  registers.setWide('cr4', BigInt(0x20 | cr4));
  registers.setWide('cr0', registers.wide('cr0') | (em ? 4n : 0n) | (ts ? 8n : 0n));
  registers.setNumber('mxcsr', 0x1f80);
  registers.setNumber('fcw', 0x37f);
  return b;
}

const addps = '0f 58 c1 f4';
const paddb = '0f fc c1 f4';

test('#UD and #NM of SSE and MMX', () => {
  const cases: [string, Bench, number | undefined][] = [
    [addps, bench(), undefined], [addps, bench({ em: true }), UD], [addps, bench({ cr4: 0 }), UD], [addps, bench({ cr4: 0, ts: true }), UD], [addps, bench({ ts: true }), NM],
    [paddb, bench(), undefined], [paddb, bench({ em: true }), UD], [paddb, bench({ cr4: 0 }), undefined], [paddb, bench({ ts: true }), NM],
  ];
  for (const [code, b, vector] of cases) {
    execute(b, code);
    assert.equal(handled(b), vector, code);
  }
});

test('they come before a fault of the operand', () => {
  const b = bench({ ts: true });
  // addps 0x7000000000000000, whatever lies there
  execute(b, '48 b8 00 00 00 00 00 00 00 70 0f 58 00 f4');
  assert.equal(handled(b), NM);
});

test('an unmasked exception of SSE is #XM, or #UD when the system does not know it; MXCSR tells and the destination stays', () => {
  for (const [cr4, vector] of [[CR4_OSFXSR | CR4_OSXMMEXCPT, XM], [CR4_OSFXSR, UD]] as const) {
    const b = bench({ cr4 });
    const { registers } = b.cpu;
    registers.setNumber('mxcsr', 0x1d80);
    registers.setWide('xmm0Low', 0x3f800000n);
    // divss %xmm1, %xmm0 by zero
    execute(b, 'f3 0f 5e c1 f4');
    assert.equal(handled(b), vector);
    assert.equal(registers.number('mxcsr'), 0x1d84);
    assert.equal(registers.wide('xmm0Low'), 0x3f800000n);
  }
});

test('MMX registers are x87\'s by their numbers: TOP becomes 0, every tag valid, the upper 16 bits ones', () => {
  const b = bench();
  const { registers } = b.cpu;
  registers.setNumber('fsw', 3 << 11);
  // ST(6) is register 1 (3 + 6 wraps), ST(5) register 0.
  registers.setWide('st5Low', 0x0101010101010101n);
  registers.setWide('st6Low', 0x0202020202020202n);
  execute(b, paddb);
  assert.equal(handled(b), undefined);
  assert.equal(registers.wide('st0Low'), 0x0303030303030303n);
  assert.equal(registers.wide('st1Low'), 0x0202020202020202n);
  assert.equal(registers.wide('st0High') & 0xffffn, 0xffffn);
  assert.equal(registers.number('fsw'), 0);
  assert.equal(registers.number('ftw'), 0xff);
  registers.setNumber('activity', 0);
  execute(b, '0f 77 f4');
  assert.equal(registers.number('ftw'), 0);
});

test('an exception of x87 that waits comes with the next MMX instruction', () => {
  const b = bench();
  b.cpu.registers.setNumber('fsw', 0x8081);
  b.cpu.registers.setNumber('fcw', 0x37e);
  execute(b, paddb);
  assert.equal(handled(b), MF);
});

test('what has to be aligned is judged by its linear address', () => {
  for (const [base, vector] of [[0x100000n, undefined], [0x100008n, 13]] as const) {
    const b = bench();
    b.cpu.registers.setWide('fsBase', base);
    // movaps %fs:0, %xmm0
    execute(b, '64 0f 28 04 25 00 00 00 00 f4');
    assert.equal(handled(b), vector);
  }
});
