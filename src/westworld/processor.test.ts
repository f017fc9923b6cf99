import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  IO_IN, IO_OUT, KVM_EXIT_FAIL_ENTRY, KVM_EXIT_HLT, KVM_EXIT_HYPERCALL, KVM_EXIT_IO, KVM_EXIT_MMIO, KVM_EXIT_SHUTDOWN, KVM_EXIT_UNKNOWN,
} from './hypervisor-sim.ts';
import type { KvmVcpu } from './hypervisor-sim.ts';
import { link } from './link.ts';
import { cpuid, movEax, rdtsc, storeAl, loadAl } from './narratives.ts';
import { stealth } from './stealth.ts';

const ONES = (1n << 64n) - 1n;

/** One instruction, on registers that are all ones. */
function one(code: readonly number[], change: (vcpu: KvmVcpu) => void = () => undefined, solution = {}): KvmVcpu & { result: number } {
  const program = link(solution);
  const { brain } = program.ford_creates_host(1) ?? assert.fail();
  const vcpu = brain ?? assert.fail();
  vcpu.regs.rax = vcpu.regs.rbx = vcpu.regs.rcx = vcpu.regs.rdx = ONES;
  change(vcpu);
  const result = program.emulate_instruction(vcpu, Uint8Array.from(code));
  return Object.assign(vcpu, { result });
}

test('a move writes its register, and no more of it than it names', () => {
  const dx = one([0xba, 0xf8, 0x03]);
  assert.deepEqual([dx.result, dx.regs.rdx, dx.regs.rip], [0, 0xffff_ffff_ffff_03f8n, 0x7c03n]);
  const al = one([0xb0, 0x48]);
  assert.deepEqual([al.result, al.regs.rax, al.regs.rip], [0, 0xffff_ffff_ffff_ff48n, 0x7c02n]);
  assert.equal(one(movEax(7)).regs.rax, 7n);
});

test('OUT and IN leave with the port in DX, and are done when the guest comes back', () => {
  const out = one([0xee]);
  assert.deepEqual([out.result, out.kvm_run.exit_reason, out.regs.rip], [1, KVM_EXIT_IO, 0x7c01n]);
  assert.deepEqual(out.kvm_run.io, { direction: IO_OUT, size: 1, port: 0xffff });
  assert.deepEqual(one([0xec]).kvm_run.io, { direction: IO_IN, size: 1, port: 0xffff });
});

test('HLT leaves, and stays where it is', () => {
  const hlt = one([0xf4]);
  assert.deepEqual([hlt.result, hlt.kvm_run.exit_reason, hlt.regs.rip], [1, KVM_EXIT_HLT, 0x7c00n]);
});

test('a fault without a handler is a shutdown', () => {
  for (const code of [[0xcc], [0x0f, 0x0b]]) assert.deepEqual([one(code).kvm_run.exit_reason, one(code).regs.rip], [KVM_EXIT_SHUTDOWN, 0x7c00n]);
});

test('the unknown leaves, the truncated fails', () => {
  assert.deepEqual([one([0x06]).result, one([0x06]).kvm_run.exit_reason], [1, KVM_EXIT_UNKNOWN]);
  assert.deepEqual([one([0xba, 0]).result, one([0xba, 0]).kvm_run.exit_reason, one([0xba, 0]).regs.rip], [-1, KVM_EXIT_FAIL_ENTRY, 0x7c00n]);
});

test('memory is memory up to its end, and MMIO from there on', () => {
  const last = one(storeAl((1 << 20) - 1));
  assert.deepEqual([last.result, last.vm?.guest_memory?.bytes((1n << 20n) - 1n, 1)[0]], [0, 0xff]);
  assert.equal(one(loadAl(0)).regs.rax, 0xffff_ffff_ffff_ff00n);
  const outside = one(storeAl(1 << 20));
  assert.deepEqual([outside.result, outside.kvm_run.exit_reason], [1, KVM_EXIT_MMIO]);
  assert.deepEqual(outside.kvm_run.mmio, { phys_addr: 1n << 20n, len: 1, is_write: true });
});

test('a jump goes both ways, and out of memory too', () => {
  assert.equal(one([0xeb, 0xfe]).regs.rip, 0x7c00n);
  assert.equal(one([0xeb, 0x10]).regs.rip, 0x7c12n);
  assert.equal(one([0xeb, 0x80], ({ regs }) => (regs.rip = 0n)).regs.rip, ONES - 125n);
});

test('both hypercalls leave', () => {
  for (const last of [0xc1, 0xd9]) assert.equal(one([0x0f, 0x01, last]).kvm_run.exit_reason, KVM_EXIT_HYPERCALL);
});

test('RDTSC gives two halves', () => {
  const { regs } = one(rdtsc, (vcpu) => (vcpu.tsc = 0x1_2345_6789_abcd_ef00n - 20n));
  assert.deepEqual([regs.rax, regs.rdx], [0xabcd_ef00n, 0x2345_6789n]);
});

test('CPUID shows the hypervisor, and does not when it is to keep quiet', () => {
  const leaf = (number: bigint, solution = {}): bigint[] => {
    const { regs: { rax, rbx, rcx, rdx } } = one(cpuid, ({ regs }) => (regs.rax = number), solution);
    return [rax, rbx, rcx, rdx];
  };
  assert.deepEqual(leaf(1n), [0n, 0n, 1n << 31n, 0n]);
  const name = leaf(0x4000_0000n).slice(1).flatMap((word) => [0n, 8n, 16n, 24n].map((shift) => String.fromCharCode(Number((word >> shift) & 0xffn))));
  assert.equal(name.join(''), 'WestworldVMM');
  assert.deepEqual(leaf(1n, stealth), [0n, 0n, 0n, 0n]);
  assert.deepEqual(leaf(0x4000_0000n, stealth), [0n, 0n, 0n, 0n]);
});
