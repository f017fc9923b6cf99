import { stealthyCpuid } from '../machine/stealth.ts';
import type { Solution } from './hypervisor-sim.ts';
import { decode } from './instruction.ts';
import { cpuidOf, processor } from './processor.ts';

/** The processor whose CPUID keeps quiet about the hypervisor. */
export const stealth: Solution = {
  emulate_instruction(vcpu, code) {
    const { regs } = vcpu;
    const leaf = Number(BigInt.asUintN(32, regs.rax));
    const result = processor.emulate_instruction?.call(this, vcpu, code) ?? -1;
    const instruction = decode(code);
    if (typeof instruction === 'string' || instruction.name !== 'cpuid') return result;
    [regs.rax, regs.rbx, regs.rcx, regs.rdx] = stealthyCpuid(cpuidOf)(leaf, 0).map(BigInt) as [bigint, bigint, bigint, bigint];
    return result;
  },
};
