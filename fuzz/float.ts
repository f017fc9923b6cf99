// node fuzz/float.ts [--seconds N] [--seed N]: SSE's and x87's operations on random operands and control words, by build/float.wasm and by this processor,
// and one in a hundred by exact arithmetic. Exits with 1 and the seed when two differ.
import { sse } from '../src/cpu/float/exact/sse.ts';
import { x87 } from '../src/cpu/float/exact/x87.ts';
import { floatModule } from '../test/support/float-module.ts';
import { callSse, sseOperations, sseQuestion, x87Operations, x87Question } from '../test/support/float-operations.ts';
import { Silicon, type Answer, type Question } from '../test/support/silicon-float.ts';
import { callX87, describeQuestion, x87Differs, type X87Result } from '../test/support/x87-call.ts';
import { campaign } from './support/campaign.ts';
import { generator, pick, type Random } from './support/generator.ts';

const batch = 5000;
const exactOneIn = 100;
const float = floatModule();
const missing = Silicon.missing();
if (missing !== undefined) console.log(`float: without silicon: ${missing}`);
using silicon = missing === undefined ? new Silicon() : undefined;

function answersOf(name: string, questions: readonly Question[]): readonly (Answer | undefined)[] {
  return silicon?.ask(name, questions) ?? questions.map(() => undefined);
}

function trySse(random: Random): void {
  const operation = pick(sseOperations, random);
  const questions = Array.from({ length: batch }, () => sseQuestion(operation, random, random(4) > 0));
  for (const [index, answer] of answersOf(operation.name, questions).entries()) {
    const question = questions[index] as Question;
    const { a, b, control, immediate } = question;
    const got = callSse(float, operation, question);
    const trapped = (got.flags & ~(control >> 7) & 63) !== 0;
    const exact = index % exactOneIn === 0 ? sse[operation.name]?.(a, b, control, immediate) : undefined;
    for (const wanted of [answer === undefined ? undefined : { result: answer.first, flags: answer.flags }, exact]) {
      if (wanted === undefined || (wanted.flags === got.flags && (trapped || wanted.result === got.result))) continue;
      throw new Error(`${describeQuestion(operation, question)}: ${told(got)} instead of ${told(wanted)}`);
    }
  }
}

const told = ({ result, flags }: { readonly result: bigint; readonly flags: number }): string => `${result.toString(16)} with ${flags.toString(16)}`;

function exactX87(name: string, { a, b, control, immediate }: Question): X87Result | undefined {
  const first = x87[name === 'extractF80' ? 'significandF80' : name]?.(a, b, control, immediate);
  const second = name === 'extractF80' ? x87['exponentF80']?.(a, b, control, immediate) : { result: b, flags: 0 };
  return first === undefined || second === undefined ? undefined : { first: first.result, second: second.result, flags: first.flags | second.flags };
}

function tryX87(random: Random): void {
  const operation = pick(x87Operations, random);
  const questions = Array.from({ length: batch }, () => x87Question(operation, random, random(2) > 0));
  for (const [index, answer] of answersOf(operation.name, questions).entries()) {
    const question = questions[index] as Question;
    const got = callX87(float, operation, question);
    for (const wanted of [answer, index % exactOneIn === 0 ? exactX87(operation.name, question) : undefined]) {
      const difference = wanted === undefined ? undefined : x87Differs(operation, question, got, wanted);
      if (difference !== undefined) throw new Error(difference);
    }
  }
}

await campaign('float', (runs) => `${Number(runs) * batch} operations`, (seed) => {
  const random = generator(seed);
  if (random(2) === 0) trySse(random);
  else tryX87(random);
});
