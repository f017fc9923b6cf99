import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longModeAt, type Registers } from '../../src/boot/start-state.ts';
import { cpuState, generalRegisters, segmentRegisters } from '../../src/cpu/state.ts';
import { setCpuid, supportedCpuid } from '../../src/engine/kvm/cpuid.ts';
import { StateExchange } from '../../src/engine/kvm/state.ts';
import { Vm } from '../../src/engine/kvm/vm.ts';
import { get, put, type FieldType } from '../../src/lib/layout.ts';
import { noKvm, TestGuest } from '../support/guest.ts';
import { randomNumbers } from '../silicon/random.ts';

type Field = keyof typeof cpuState.fields;

/** Runs on by itself, is the processor's own, needs an APIC, or is nothing. */
const notCompared = new Set<Field>(['tsc', 'mxcsrMask', 'tscDeadline', 'reserved0', 'reserved1', 'reserved2']);

/** A state that a processor in 64-bit mode may have, all of it at random. */
function randomState(next: () => number): Registers {
  const word = (): bigint => (BigInt(next()) << 32n) | BigInt(next());
  const canonical = (): bigint => BigInt.asUintN(64, BigInt.asIntN(48, word()));
  const below = (limit: number): number => next() % limit;
  const vectors = Object.keys(cpuState.fields).filter((name) => /^[xy]mm\d/.test(name) || /^st\dLow/.test(name));
  const segments = segmentRegisters.flatMap((name) => {
    // Code and data segments present and accessed; a busy task, no local descriptors: AMD's has no other mark of that than not to be present.
    const attributes = name === 'tr' ? 0x8b : name === 'ldtr' ? 0x102 : name === 'cs' ? 0xa09b | (below(2) << 12) : 0xc093 | (below(2) << 12);
    const limit = name === 'tr' ? 0x67 : name === 'ldtr' ? 0xffff : 0xffffffff;
    return [[`${name}Base`, name === 'fs' || name === 'gs' || name === 'tr' ? canonical() : 0], [`${name}Limit`, limit],
      [`${name}Selector`, name === 'ldtr' ? 0 : below(8192) & ~7], [`${name}Attributes`, attributes]];
  });
  return {
    ...Object.fromEntries(generalRegisters.map((name) => [name, word()])), ...Object.fromEntries(vectors.map((name) => [name, word()])),
    ...Object.fromEntries(segments) as Registers,
    rip: canonical(), rflags: 2 | (next() & 0x3f7ed5 & ~0x134100), cr2: word(), cr3: BigInt(below(256)) << 12n, cr8: below(16),
    cr0: 0x80000033, cr4: 0x40620, efer: 0xd01, xcr0: 7, gdtrBase: canonical(), gdtrLimit: below(65536), idtrBase: canonical(), idtrLimit: below(65536),
    dr0: canonical(), dr1: canonical(), dr2: canonical(), dr3: canonical(), dr6: 0xffff0ff0, dr7: 0x400, pat: 0x0007040600070406n,
    star: word(), lstar: canonical(), cstar: canonical(), sfmask: next() & 0x7fffffff, kernelGsBase: canonical(), sysenterCs: below(65536),
    // AMD's have 32 bits.
    sysenterEsp: next(), sysenterEip: next(), tscAux: next(), fcw: 0x340 | below(64), fsw: below(8) << 11, ftw: below(256),
    mxcsr: 0x1f80 | (below(8) << 13) | below(64), nmiBlocked: below(2),
  };
}

test('any state comes back from KVM as it was', { skip: noKvm }, () => {
  const vm = new Vm();
  try {
    const vcpu = vm.addVcpu(0);
    setCpuid(vcpu, supportedCpuid(vm.system));
    const exchange = new StateExchange(vcpu, false);
    const next = randomNumbers(31);
    for (let round = 0; round < 200; round++) {
      const wanted = randomState(next);
      const given = new DataView(longModeAt(0x1000, 0x10000).buffer);
      for (const [name, value] of Object.entries(wanted) as [Field, number | bigint][]) {
        put(given, cpuState.fields[name].offset, cpuState.fields[name].type, value);
      }
      const got = new DataView(new ArrayBuffer(cpuState.size));
      assert.equal(exchange.set(given), true);
      exchange.get(got);
      assert.equal(exchange.set(got), false, 'what has not changed is not sent');
      for (const [name, { offset, type }] of Object.entries(cpuState.fields) as [Field, { offset: number; type: FieldType }][]) {
        if (!notCompared.has(name)) assert.equal(get(got, offset, type), get(given, offset, type), `${name}, round ${round}`);
      }
    }
  } finally {
    vm.close();
  }
});

test('the state of a guest goes to another and goes on there', { skip: noKvm }, () => {
  // inc ax, four times; hlt
  const code = [0x40, 0x40, 0x40, 0x40, 0xf4];
  using first = new TestGuest(code);
  first.set({ xmm3Low: 77n, st0Low: 1n << 63n, dr3: 0x1234n });
  for (let step = 1; step <= 2; step++) assert.deepEqual([first.run(1).kind, first.get('rax')], ['budget', step]);
  using second = new TestGuest(code);
  second.load(new Uint8Array(first.cpu.state.buffer));
  assert.deepEqual(second.run(), { kind: 'halt' });
  assert.equal(second.get('rax'), 4);
  assert.deepEqual([second.get('xmm3Low'), second.get('st0Low'), second.get('dr3')], [77, 1n << 63n, 0x1234]);
});
