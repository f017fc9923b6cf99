import { KVM_EXIT_INTR, type Westworld } from './hypervisor-sim.ts';

/** Stops a program's guests after so many instructions, as a signal stops KVM_RUN: with an exit that says so. */
export function limitSteps(program: Westworld, steps: number): void {
  const { emulate_instruction } = program;
  let left = steps;
  program.emulate_instruction = (vcpu, code) => {
    if (left-- > 0) return emulate_instruction.call(program, vcpu, code);
    vcpu.kvm_run.exit_reason = KVM_EXIT_INTR;
    return 1;
  };
}
