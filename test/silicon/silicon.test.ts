import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyNoSilicon } from './available.ts';
import { caseOf, expectedOf, knownResults, type Known } from './known.ts';
import { dataWindow } from './layout.ts';
import { randomCases } from './random.ts';
import { Silicon, type Case, type Result } from './silicon.ts';

const skip = whyNoSilicon();
/** CF PF AF ZF SF TF DF OF AC. */
const compared = 0x40dd5;

/** FXSAVE's image without the x87 pointers, which makers treat differently, MXCSR's mask, and what is reserved. */
function comparedFx(fx: Uint8Array): Uint8Array {
  return Uint8Array.from(fx, (byte, at) => ((at >= 6 && at < 24) || (at >= 28 && at < 32) || at >= 416 ? 0 : byte));
}

function agree(known: Known, result: Result): void {
  const expected = expectedOf(known);
  assert.deepEqual(result.registers, expected.registers, known.name);
  assert.equal(result.rip, expected.rip, known.name);
  const flags = compared & ~(known.undefinedFlags ?? 0);
  assert.equal(Number(result.rflags) & flags, expected.rflags & flags, `${known.name}: flags`);
  assert.deepEqual(comparedFx(result.fx), comparedFx(expected.fx), `${known.name}: x87 and SSE`);
  assert.deepEqual(result.changes, expected.changes, known.name);
  assert.equal(result.outcome, known.after.exception === undefined ? 'done' : 'exception', known.name);
  if (known.after.exception !== undefined) assert.deepEqual({ ...result.exception, ...known.after.exception }, result.exception, known.name);
}

test('the oracle gives the results that are known', { skip }, async (context) => {
  using silicon = new Silicon();
  const results = silicon.run(knownResults.map(caseOf));
  for (const [index, known] of knownResults.entries()) await context.test(known.name, () => agree(known, results[index] as Result));
});

test('a case sees nothing of another', { skip }, () => {
  using silicon = new Silicon();
  const cases = randomCases(10_000, 1);
  const first = silicon.run(cases);
  const second = silicon.run(cases.toReversed()).toReversed();
  const kinds = new Set(first.map(({ outcome }) => outcome));
  assert.deepEqual([...kinds].toSorted(), ['done', 'exception']);
  for (const [index, result] of first.entries()) {
    assert.deepEqual(plain(second[index] as Result), plain(result), Buffer.from((cases[index] as Case).code).toString('hex'));
  }
});

test('one that does not end is given up, the next ones are run', { skip }, () => {
  using silicon = new Silicon();
  const [good] = knownResults as readonly [Known];
  const endless = { ...caseOf(good), code: new Uint8Array([0xeb, 0xfe]) };
  const results = silicon.run([caseOf(good), endless, caseOf(good)]);
  assert.deepEqual(results.map(({ outcome }) => outcome), ['done', 'timeout', 'done']);
  agree(good, results[2] as Result);
});

test('whatever is written in the window comes back, and is gone for the next case', { skip }, () => {
  using silicon = new Silicon();
  const [good] = knownResults as readonly [Known];
  const clear = { ...caseOf(good), code: new Uint8Array([0xf3, 0x48, 0xab]), registers: new BigUint64Array(16) };
  clear.registers[1] = 1024n;
  clear.registers[7] = BigInt(dataWindow.address);
  const load = { ...clear, code: new Uint8Array([0x48, 0x8b, 0x07]) };
  const [before, cleared, after] = silicon.run([load, clear, load]) as [Result, Result, Result];
  assert.equal(cleared.changes.length, 1024);
  assert.deepEqual([cleared.changes[0], cleared.changes[1023]], [{ address: 0x200000, value: 0n }, { address: 0x201ff8, value: 0n }]);
  assert.notEqual(before.registers[0], 0n);
  assert.equal(after.registers[0], before.registers[0]);
});

test('a case outside of the windows, or of a shape that can\'t be, is refused', { skip }, () => {
  using silicon = new Silicon();
  const [good] = knownResults as readonly [Known];
  const bad: Partial<Case>[] = [
    { rip: 0xff000 }, { rip: 0x102000 }, { memory: [{ address: 0x207000, bytes: new Uint8Array(1) }] },
    { memory: [{ address: 0x1fffff, bytes: new Uint8Array(2) }] },
    { fx: new Uint8Array(511) }, { fx: new Uint8Array(512).fill(0xff) }, { registers: new BigUint64Array(15) },
  ];
  for (const part of bad) assert.throws(() => silicon.run([{ ...caseOf(good), ...part }]), RangeError);
});

function plain({ outcome, rip, exception, registers, rflags, fsBase, gsBase, fx, ymm, changes }: Result): unknown {
  const fault = exception?.vector === 14 ? exception : { ...exception, cr2: 0n };
  return { outcome, rip, fault, registers, rflags, fsBase, gsBase, fx: comparedFx(fx), ymm, changes };
}
