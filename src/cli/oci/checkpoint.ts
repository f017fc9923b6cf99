import { DelosError } from '../../lib/errors.ts';
import type { OciInvocation } from './invocation.ts';

/** Of `checkpoint` and `restore`. Their flags are not read: the answer is the same with all of them. */
export function run({ command: { name } }: OciInvocation<readonly []>): Promise<number> {
  return Promise.reject(new DelosError('unsupported', `${name} is not supported: delos does not drive CRIU`));
}
