import { ask } from './question.ts';

/** Asks before something is removed. @param lines what is going to be */
export async function confirmed(lines: readonly string[]): Promise<boolean> {
  const answer = await ask(`WARNING! This will remove:\n${lines.map((line) => `  - ${line}\n`).join('')}\nAre you sure you want to continue? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}
