import * as abi from '../abi/signal.ts';
import { DelosError } from '../lib/errors.ts';

export interface Signal {
  /** `SIGTERM`; `SIGRTMIN+3` for a real-time signal. */
  readonly name: string;
  readonly number: number;
}

/** As the C library counts them: the two lowest real-time signals are its own. */
const SIGRTMIN = 34;
const SIGRTMAX = 64;

const byName: ReadonlyMap<string, number> = new Map(Object.entries(abi).filter(([name]) => /^SIG[A-Z0-9]+$/.test(name)));

/** A signal by name, with or without `SIG`, in any case (`term`, `SIGTERM`, `RTMIN+3`), or by number, 1 to 64. Throws `bad-usage`. */
export function parseSignal(text: string): Signal {
  const bare = text.toUpperCase().replace(/^SIG/, '');
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(bare);
  const number = /^\d{1,2}$/.test(text) ? Number(text) : realTime === null ? byName.get(`SIG${bare}`) : realTimeNumber(realTime);
  if (number === undefined || number < 1 || number > SIGRTMAX || (realTime !== null && number < SIGRTMIN)) {
    throw new DelosError('bad-usage', `invalid signal '${text}': expected a name such as TERM or a number from 1 to ${SIGRTMAX}`);
  }
  return { name: signalName(number), number };
}

function realTimeNumber([, end, sign, distance]: RegExpExecArray): number {
  return (end === 'MIN' ? SIGRTMIN : SIGRTMAX) + (sign === '-' ? -1 : 1) * Number(distance ?? 0);
}

/** `SIGKILL` for 9; `SIGRTMIN+n` from 34 on; the number itself for those without a name. */
export function signalName(number: number): string {
  for (const [name, value] of byName) if (value === number) return name;
  if (number >= SIGRTMIN && number <= SIGRTMAX) return number === SIGRTMIN ? 'SIGRTMIN' : `SIGRTMIN+${number - SIGRTMIN}`;
  return String(number);
}
