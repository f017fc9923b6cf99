/** What each instruction does: the simulated half of VT-x. Most only change registers; the sensitive ones leave the guest. */

import {
  IO_IN, IO_OUT, KVM_EXIT_FAIL_ENTRY, KVM_EXIT_HLT, KVM_EXIT_HYPERCALL, KVM_EXIT_IO, KVM_EXIT_MMIO, KVM_EXIT_SHUTDOWN, KVM_EXIT_UNKNOWN,
} from './hypervisor-sim.ts';
import type { KvmRegs, KvmVcpu, Solution } from './hypervisor-sim.ts';
import { decode, type Name } from './instruction.ts';
import type { CpuidValues } from '../machine/stealth.ts';

/** The guest goes on, or leaves. */
const GO_ON = 0;
const VM_EXIT = 1;
const FAILED = -1;

const INSTRUCTION_CYCLES = 20n;
/** CPUID always leaves the guest, but KVM answers it in the kernel: nobody hears of it here, only the clock tells. */
const CPUID_CYCLES = 1500n;

/** What one instruction does; `rip` is already behind it. */
type Meaning = (vcpu: KvmVcpu, operand: number) => typeof GO_ON | typeof VM_EXIT;

const meanings: Readonly<Record<Name, Meaning>> = {
  'mov dx': ({ regs }, value) => setLow(regs, 'rdx', 16, value),
  'mov al': ({ regs }, value) => setLow(regs, 'rax', 8, value),
  // In 64-bit mode, writing 32 bits clears the upper half; these registers are 64 bits wide.
  'mov eax': ({ regs }, value) => setLow(regs, 'rax', 64, value),
  'load al': (vcpu, address) => access(vcpu, address, false),
  'store al': (vcpu, address) => access(vcpu, address, true),
  out: (vcpu) => port(vcpu, IO_OUT),
  in: (vcpu) => port(vcpu, IO_IN),
  hlt: (vcpu) => leave(vcpu, KVM_EXIT_HLT),
  nop: () => GO_ON,
  jmp: ({ regs }, distance) => {
    regs.rip = BigInt.asUintN(64, regs.rip + BigInt(distance));
    return GO_ON;
  },
  cpuid,
  rdtsc: ({ regs, tsc }) => {
    regs.rax = BigInt.asUintN(32, tsc);
    regs.rdx = BigInt.asUintN(32, tsc >> 32n);
    return GO_ON;
  },
  vmcall: (vcpu) => leave(vcpu, KVM_EXIT_HYPERCALL),
  vmmcall: (vcpu) => leave(vcpu, KVM_EXIT_HYPERCALL),
  // KVM answers these in the kernel, as CPUID; this one has no such registers. vmx/ has.
  rdmsr: (vcpu) => leave(vcpu, KVM_EXIT_UNKNOWN),
  wrmsr: (vcpu) => leave(vcpu, KVM_EXIT_UNKNOWN),
  // An exception without a table of handlers, nor one for that exception: a triple fault.
  int3: (vcpu) => leave(vcpu, KVM_EXIT_SHUTDOWN),
  ud2: (vcpu) => leave(vcpu, KVM_EXIT_SHUTDOWN),
};

/** These stay where they are: a fault has not happened yet, and the document's HLT points at itself (a real one is past). */
const standing: readonly Name[] = ['hlt', 'rdmsr', 'wrmsr', 'int3', 'ud2'];

export const processor: Solution = {
  emulate_instruction(vcpu, code) {
    const instruction = decode(code);
    if (instruction === 'truncated') {
      leave(vcpu, KVM_EXIT_FAIL_ENTRY);
      return FAILED;
    }
    if (instruction === 'unknown') return leave(vcpu, KVM_EXIT_UNKNOWN);
    const { name, length, operand } = instruction;
    vcpu.tsc += INSTRUCTION_CYCLES;
    if (!standing.includes(name)) vcpu.regs.rip += BigInt(length);
    return meanings[name](vcpu, operand);
  },
};

function leave(vcpu: KvmVcpu, reason: number): typeof VM_EXIT {
  vcpu.kvm_run.exit_reason = reason;
  return VM_EXIT;
}

/** Replaces the low bits of a register; the others stay. */
function setLow(regs: KvmRegs, register: 'rax' | 'rdx', bits: number, value: number): typeof GO_ON {
  regs[register] = ((regs[register] >> BigInt(bits)) << BigInt(bits)) | BigInt(value);
  return GO_ON;
}

function port(vcpu: KvmVcpu, direction: number): typeof VM_EXIT {
  vcpu.kvm_run.io = { direction, size: 1, port: Number(vcpu.regs.rdx & 0xffffn) };
  return leave(vcpu, KVM_EXIT_IO);
}

/** One byte of memory; where there is none, an EPT violation that user space sees as MMIO. */
function access(vcpu: KvmVcpu, operand: number, is_write: boolean): typeof GO_ON | typeof VM_EXIT {
  const address = BigInt(operand);
  const memory = vcpu.vm?.guest_memory;
  if (!memory || address >= memory.size) {
    vcpu.kvm_run.mmio = { phys_addr: address, len: 1, is_write };
    return leave(vcpu, KVM_EXIT_MMIO);
  }
  if (!is_write) return setLow(vcpu.regs, 'rax', 8, memory.bytes(address, 1)[0] ?? 0);
  memory.write(address, Uint8Array.of(Number(vcpu.regs.rax & 0xffn)));
  return GO_ON;
}

/** Leaf 1 has the hypervisor bit (ECX 31), leaf 0x40000000 the twelve letters of its name; all others are zero. */
export function cpuidOf(leaf: number): CpuidValues {
  if (leaf === 1) return [0, 0, 0x8000_0000, 0];
  return leaf === 0x4000_0000 ? [leaf, letters('West'), letters('worl'), letters('dVMM')] : [0, 0, 0, 0];
}

function cpuid(vcpu: KvmVcpu): typeof GO_ON {
  const { regs } = vcpu;
  vcpu.tsc += CPUID_CYCLES;
  [regs.rax, regs.rbx, regs.rcx, regs.rdx] = cpuidOf(Number(BigInt.asUintN(32, regs.rax))).map(BigInt) as [bigint, bigint, bigint, bigint];
  return GO_ON;
}

function letters(four: string): number {
  return [...four].reduceRight((value, letter) => value * 256 + letter.charCodeAt(0), 0);
}
