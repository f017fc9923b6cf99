import { readFileSync } from 'node:fs';
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

/**
 * Makers of processors differ where the manuals leave something open (jumps with 66h, double shifts of 16 bits, alignment of SHA's operands): the software
 * processor does what AMD's do, and can be compared with those alone.
 */
export function whyNotComparable(): string | false {
  const [, maker = 'unknown'] = /^vendor_id\s*:\s*(\S+)/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
  return whyNoSilicon() || (maker === 'AuthenticAMD' ? false : `this processor is ${maker}'s, and the software one follows AMD's`);
}
