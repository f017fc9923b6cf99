import type { MachineEnd } from '../../machine/machine.ts';
import { warn } from './context.ts';

/** The process's exit code for a machine's end; what a person has to know of it goes to stderr. @param panic what the guest's kernel said last, if it panicked */
export function codeOf(end: MachineEnd, panic: string | undefined): number {
  if (panic !== undefined) {
    warn(`the guest's kernel has panicked: ${panic}`);
    return 1;
  }
  switch (end.kind) {
    case 'power-off':
    case 'stopped':
    case 'reset':
      return 0;
    case 'debug-exit':
      return end.status;
    case 'halt':
      warn('the guest has halted for good: interrupts are off');
      return 0;
    case 'shutdown':
      warn('the guest has shut down: a triple fault');
      return 1;
    case 'error':
      warn(`the machine can't go on: ${end.message}`);
      return 1;
    default:
      return end satisfies never;
  }
}
