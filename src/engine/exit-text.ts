import type { Exit } from './engine.ts';

/** Why a guest has stopped, for a person: one line, in the words of the courses on KVM. */
export function exitText(exit: Exit): string {
  if (exit.kind === 'halt') return 'Guest halted';
  if (exit.kind === 'shutdown') return 'Guest shutdown (triple fault)';
  return `Unhandled exit: ${exit.kind === 'error' ? exit.message : exit.kind}`;
}
