import { DelosError } from '../../lib/errors.ts';
import { encode } from '../../plan/encode.ts';
import { call, type Step } from '../../plan/step.ts';
import { spawned } from '../../runtime/place.ts';

/**
 * Tries system calls on this kernel, in a process of their own that then ends: what a host can do is not read out of its version.
 * @returns nothing when all went well, else the call and the errno
 */
export async function trial(...steps: readonly Step[]): Promise<string | undefined> {
  const plan = { sections: [{ name: 'trial', items: [...steps, call('exit_group', [0], 'trial')] }] };
  try {
    await spawned.run(encode(plan), 0);
    return undefined;
  } catch (error) {
    if (!(error instanceof DelosError)) throw error;
    return `${error.detail.call}: ${error.detail.errno}`;
  }
}
