/** Operations on what is known already are done while translating: the counts of shifts, distances, flags that are never set. */

import type { Binary, Compare, Unary, Value } from '../builder.ts';
import { Arithmetic } from '../emit/arithmetic.ts';
import { emitted } from '../emit/value.ts';
import { bitsOf, ExactArithmetic, known } from '../oracle/arithmetic.ts';

class Exact extends ExactArithmetic {}

const exact = new Exact();

/** The bits, if they are known. */
export function constantOf(value: Value): bigint | undefined {
  const it = emitted(value);
  return 'constant' in it ? it.constant : undefined;
}

export abstract class FoldingArithmetic extends Arithmetic {
  override binary(operation: Binary, x: Value, y: Value): Value {
    const [a, b] = [constantOf(x), constantOf(y)];
    if (a === undefined || b === undefined || x.width !== y.width) return super.binary(operation, x, y);
    return this.constant(x.width, bitsOf(exact.binary(operation, known(x.width, a), known(y.width, b))));
  }

  override unary(operation: Unary, x: Value): Value {
    const a = constantOf(x);
    return a === undefined || x.width === 128 ? super.unary(operation, x) : this.constant(x.width, bitsOf(exact.unary(operation, known(x.width, a))));
  }

  override compare(operation: Compare, x: Value, y: Value): Value {
    const [a, b] = [constantOf(x), constantOf(y)];
    if (a === undefined || b === undefined) return super.compare(operation, x, y);
    return this.constant(1, bitsOf(exact.compare(operation, known(x.width, a), known(y.width, b))));
  }

  override select(condition: Value, yes: Value, no: Value): Value {
    const chosen = constantOf(condition);
    return chosen === undefined ? super.select(condition, yes, no) : chosen === 1n ? yes : no;
  }
}
