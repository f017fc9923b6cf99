import type { RestartPolicy } from '../containers/restart.ts';
import { badFlag } from './refusal.ts';

const names: readonly RestartPolicy['name'][] = ['on-failure', 'always', 'unless-stopped'];

/** `--restart`: `no`, `on-failure[:RETRIES]`, `always`, `unless-stopped`. Nothing for `no`. Throws `bad-usage`. */
export function restartPolicy(text = 'no'): RestartPolicy | undefined {
  if (text === 'no' || text === '') return undefined;
  const [word, retries, ...rest] = text.split(':');
  const name = names.find((known) => known === word);
  if (name === undefined || rest.length > 0) throw badFlag('restart', text, 'expected no, on-failure[:RETRIES], always or unless-stopped');
  if (retries === undefined) return { name, maximumRetries: 0 };
  if (name !== 'on-failure') throw badFlag('restart', text, "a number of retries is for 'on-failure' only");
  if (!/^\d{1,9}$/.test(retries)) throw badFlag('restart', text, 'expected a number of retries that is not negative');
  return { name, maximumRetries: Number(retries) };
}
