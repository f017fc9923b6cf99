import { createInterface } from 'node:readline/promises';
import { DelosError } from '../../lib/errors.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { letterOf, mark, questions, type Marks, type Question } from '../../westworld/questions.ts';
import type { globalFlags } from './context.ts';
import type { westworldQuizFlags } from './westworld.ts';

/** `delos westworld quiz`: asks, or marks what is given. 1 when it is not passed. */
export async function run({ flags }: Invocation<typeof westworldQuizFlags, typeof globalFlags>): Promise<number> {
  if (flags.explain && flags.answers === undefined) {
    process.stdout.write(questions.map((question, at) => `${asked(question, at)}${answered(question)}\n`).join('\n'));
    return 0;
  }
  const marks = marked(flags.answers ?? (await asking()));
  for (const [at, question] of questions.entries()) {
    const right = marks.right[at] === true;
    process.stdout.write(`${String(at + 1).padStart(2)} ${right ? 'ok' : 'NO'}  ${right && !flags.explain ? '' : answered(question)}\n`);
  }
  process.stdout.write(`\n${marks.percent}/100: ${marks.passed ? 'passed' : 'failed'}\n`);
  return marks.passed ? 0 : 1;
}

function marked(answers: string): Marks {
  try {
    return mark(answers);
  } catch (cause) {
    throw new DelosError('bad-usage', (cause as Error).message, { cause });
  }
}

/** One letter a line, until all are there. An answer that is no letter of the question is asked for again. */
async function asking(): Promise<string> {
  let letters = '';
  const lines = createInterface({ input: process.stdin });
  const next = lines[Symbol.asyncIterator]();
  try {
    for (const [at, question] of questions.entries()) {
      process.stdout.write(`${asked(question, at)}> `);
      letters += await letter(next);
      process.stdout.write('\n');
    }
    return letters;
  } finally {
    lines.close();
  }
}

async function letter(lines: AsyncIterator<string>): Promise<string> {
  for (;;) {
    const { done, value } = await lines.next();
    if (done === true) throw new DelosError('bad-usage', 'stdin ended before all questions were answered');
    if (/^\s*[a-j]\s*$/i.test(value)) return value.trim();
    process.stdout.write('A - J > ');
  }
}

function asked({ text, options }: Question, at: number): string {
  return `${at + 1}. ${text}\n${options.map((option, place) => `   ${letterOf(place)}) ${option}\n`).join('')}`;
}

function answered({ answer, explanation }: Question): string {
  return `${answer}: ${explanation}`;
}
