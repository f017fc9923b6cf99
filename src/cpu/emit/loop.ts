/** The loop that runs records: handlers that are frequent stand in it, all others are called through the table. */

import { RECORD } from '../layout.ts';
import { Code } from '../wasm/code.ts';
import { record } from './access.ts';
import { HandlerBuilder, type Onward } from './handler.ts';
import type { Shape } from './shape.ts';
import type { Functions } from './signatures.ts';
import { special, specialCode } from './special.ts';

/**
 * From the record in its parameter until something leaves it; gives 0.
 * @param frequent have the handler numbers behind those of {@link special}
 * @param handler the type of the table's functions
 */
export function buildLoop(functions: Functions, frequent: readonly Shape[], handler: number): Code {
  const code = new Code(1);
  const top = code.depth;
  code.loop();
  const onward: Onward = {
    to: (each) => each.set(record).branch(top),
    toAny: (each) => each.tee(record).branch(top, true).i32(0).op('return'),
  };
  const bodies = [
    ...special.map((name) => () => void onward.toAny(specialCode[name](functions, code))),
    ...frequent.map((shape) => () => void HandlerBuilder.build(shape, functions, code, onward)),
  ];
  const others = code.depth;
  code.block();
  const blocks = bodies.map(() => {
    code.block();
    return code.depth - 1;
  }).toReversed();
  code.get(record).access('i32.load16_u', RECORD.handler).branchTable(blocks, others).end();
  for (const body of bodies) {
    body();
    code.forgetLocals();
    code.end();
  }
  code.get(record).get(record).access('i32.load16_u', RECORD.handler).callIndirect(handler);
  return onward.toAny(code).end().i32(0);
}
