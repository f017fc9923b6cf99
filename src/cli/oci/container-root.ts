import path from 'node:path';
import { defaultRoot } from '../../runtime/store.ts';
import type { Flag, Values } from '../vocabulary/flags.ts';

/** The folder of `--root`, absolute; without the flag the one of the user. */
export function containerRoot(globals: Values<readonly Flag[]>): string {
  const { root } = globals;
  return typeof root === 'string' && root !== '' ? path.resolve(root) : defaultRoot();
}
