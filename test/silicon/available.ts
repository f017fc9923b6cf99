import { DelosError } from '../../src/lib/errors.ts';
import { Silicon } from './silicon.ts';

let known: string | false | undefined;

/** For a test's `skip`: one sentence why there is no oracle here, or false. */
export function whyNoSilicon(): string | false {
  known ??= attempt();
  return known;
}

function attempt(): string | false {
  try {
    new Silicon().close();
    return false;
  } catch (error) {
    if (error instanceof DelosError || (error as NodeJS.ErrnoException).code === 'ENOENT') return `no silicon to compare with: ${(error as Error).message}`;
    throw error;
  }
}
