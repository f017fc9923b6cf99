import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { generator } from '../../../fuzz/support/generator.ts';
import { floatModule } from '../../../test/support/float-module.ts';
import {
  callSse, sseOperations, sseQuestion, transcendentalOperations, transcendentalQuestion, x87Operations, x87Question,
} from '../../../test/support/float-operations.ts';
import { Silicon, type Answer } from '../../../test/support/silicon-float.ts';
import { callX87, describeQuestion, x87Differs } from '../../../test/support/x87-call.ts';

const missing = Silicon.missing();
const skip = missing ?? false;
const silicon = missing === undefined ? new Silicon() : undefined;
after(() => silicon?.[Symbol.dispose]());
const float = floatModule();

/** Cases of each operation, with all exceptions masked, and with some unmasked, each of which costs a signal. */
const counts = { masked: 20_000, unmasked: 4_000 } as const;

const told = (result: bigint, flags: number): string => `${result.toString(16)} with ${flags.toString(16)}`;

for (const [masks, count] of Object.entries(counts)) {
  test(`SSE's operations are this processor's, ${masks}`, { skip }, () => {
    const random = generator(count);
    for (const operation of sseOperations) {
      const questions = Array.from({ length: count }, () => sseQuestion(operation, random, masks === 'masked'));
      for (const [index, answer] of silicon!.ask(operation.name, questions).entries()) {
        const question = questions[index]!;
        const { result, flags } = callSse(float, operation, question);
        const right = flags === answer.flags && (answer.trapped ? (flags & ~(question.control >> 7)) !== 0 : result === answer.first);
        if (!right) assert.fail(`${describeQuestion(operation, question)}: ${told(result, flags)} instead of ${told(answer.first, answer.flags)}`);
      }
    }
  });

  test(`x87's operations are this processor's, ${masks}`, { skip }, () => {
    const random = generator(count);
    for (const operation of x87Operations) {
      const questions = Array.from({ length: count }, () => x87Question(operation, random, masks === 'masked'));
      for (const [index, answer] of silicon!.ask(operation.name, questions).entries()) {
        assert.equal(x87Differs(operation, questions[index]!, callX87(float, operation, questions[index]!), answer), undefined);
      }
    }
  });
}

/** Encodings in the order of their numbers, so that neighbours are one apart. */
function ordinal(bits: bigint): bigint {
  const size = (BigInt.asUintN(79, bits) >> 64n << 63n) + BigInt.asUintN(63, bits);
  return bits >> 79n === 0n ? size : -size;
}

/** FPTAN's result is below the 1 that it has pushed, unless there is none. */
function resultOf(name: string, answer: Answer): bigint {
  return name === 'tangentF80' && (answer.flags & 0x400) === 0 ? answer.second : answer.first;
}

test("x87's transcendental instructions are within one unit of the last place of this processor's, with its flags", { skip }, () => {
  const random = generator(7);
  let equal = 0;
  let all = 0;
  for (const [operation, least, most] of transcendentalOperations) {
    const questions = Array.from({ length: 6000 }, () => transcendentalQuestion(random, least, most));
    for (const [index, answer] of silicon!.ask(operation.name, questions).entries()) {
      const question = questions[index]!;
      const got = callX87(float, operation, question);
      const hidden = (got.flags & ~question.control & 7) !== 0;
      const distance = hidden ? 0n : ordinal(got.first) - ordinal(resultOf(operation.name, answer));
      // Which way it was rounded depends on bits that no one promises.
      const flags = (got.flags ^ answer.flags) & ~0x200;
      const told = `${distance} units apart, flags ${got.flags.toString(16)} and ${answer.flags.toString(16)}`;
      assert.ok(distance >= -1n && distance <= 1n && flags === 0, `${describeQuestion(operation, question)}: ${told}`);
      equal += Number(distance === 0n);
      all++;
    }
  }
  assert.ok(equal > all * 0.9, `only ${equal} of ${all} are equal`);
});
