import { ESCAPE_NONE, KVM_EXIT_SHUTDOWN } from './hypervisor-sim.ts';
import type { EscapeAttempt, Westworld, WestworldHost } from './hypervisor-sim.ts';

/** A host that has tried this often is not let on. */
export const MOST_ATTEMPTS = 10;

export interface Sighting {
  readonly attempt: EscapeAttempt;
  readonly rip: bigint;
}

/** Has maeve look at every instruction of a host before it is run. After {@link MOST_ATTEMPTS} attempts the host is shut down. */
export function watchHost(program: Westworld, host: WestworldHost, report: (sighting: Sighting) => void): void {
  const { emulate_instruction } = program;
  let attempts = 0;
  program.emulate_instruction = (vcpu, code) => {
    const { rip } = vcpu.regs;
    const attempt = program.maeve_tries_to_escape(host, rip);
    if (attempt !== ESCAPE_NONE) {
      report({ attempt, rip });
      attempts++;
    }
    if (attempts < MOST_ATTEMPTS) return emulate_instruction.call(program, vcpu, code);
    vcpu.kvm_run.exit_reason = KVM_EXIT_SHUTDOWN;
    return 1;
  };
}
