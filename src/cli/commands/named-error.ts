import type { Container } from '../../containers/container.ts';
import { DelosError } from '../../lib/errors.ts';

/** What src/runtime refuses, in the words of people who call a container by its name. */
export async function asEveryday<T>({ name }: Container, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof DelosError) || (error.code !== 'not-found' && error.code !== 'wrong-state')) throw error;
    const reason = error.code === 'not-found' ? 'it is not running' : error.message.replace(/^container (?=not )/, 'it is ');
    throw new DelosError('wrong-state', `container ${name}: ${reason}`, { cause: error });
  }
}
