import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuidFor, withCounter, withDeadlineTimer } from './cpuid.ts';

test('the frequencies are those of the counter, and Linux can multiply them in 32 bits', () => {
  const crystal = 1e9;
  const template = (leaf: number): readonly [number, number, number, number] => {
    return leaf === 0x15 ? [1, 1, crystal, 0] : leaf === 0x16 ? [1000, 1000, 100, 0] : leaf === 0x40000010 ? [1e6, 1e6, 0, 0] : [leaf, 2, 3, 4];
  };
  for (const kilohertz of [800_000, 1_000_000, 2_445_441, 2_599_998, 3_500_123, 4_294_967]) {
    const cpuid = withCounter(template, kilohertz);
    const [denominator, numerator, hertz] = cpuid(0x15, 0);
    const product = (crystal / 1000) * numerator;
    assert.ok(product < 2 ** 32 && hertz === crystal);
    assert.ok(Math.abs(product / denominator / kilohertz - 1) < 5e-5, `${kilohertz}: ${product / denominator}`);
    assert.deepEqual(cpuid(0x16, 0), [Math.round(kilohertz / 1000), Math.round(kilohertz / 1000), 100, 0]);
    assert.deepEqual(cpuid(0x40000010, 0), [kilohertz, 1e6, 0, 0]);
    assert.deepEqual(cpuid(7, 0), [7, 2, 3, 4]);
  }
  assert.deepEqual(withCounter(() => [0, 0, 0, 0], 2e6)(0x15, 0), [0, 0, 0, 0], 'a template that says nothing');
});

test('features are those that KVM has too; its own local APICs have one more', () => {
  const leaf = (number: number, registers: readonly [number, number, number, number]) => ({ leaf: number, subleaf: 0, flags: 0, registers });
  const supported = [leaf(1, [9, 9, 0x00200001, 0x10]), leaf(0xd, [3, 0, 0, 0])];
  const template = (number: number): readonly [number, number, number, number] => {
    return number === 0 ? [0xd, 0, 0, 0] : number === 1 ? [0x30661, 0, 0x81200003, 0xffffffff] : number === 0xd ? [7, 832, 832, 0] : [0, 0, 0, 0];
  };
  const registers = (table: ReturnType<typeof cpuidFor>, number: number): readonly number[] | undefined => {
    return table.find((entry) => entry.leaf === number && entry.subleaf === 0)?.registers;
  };
  const given = cpuidFor(template, supported, 2);
  assert.deepEqual(registers(given, 1), [0x30661, 2 * 2 ** 24, 0x80200001, 0x10]);
  assert.deepEqual(registers(given, 0xd), [3, 832, 832, 0], 'no state that the processor does not save');
  const withTimer = cpuidFor((number) => (number === 1 ? [0, 0, 1 << 24, 0] : template(number)), withDeadlineTimer(supported), 0);
  assert.deepEqual(registers(withTimer, 1), [0, 0, 1 << 24, 0]);
});
