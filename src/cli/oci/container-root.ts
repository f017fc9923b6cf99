import path from 'node:path';
import type { Flag, Values } from '../vocabulary/flags.ts';

/** The folder of `--root`, absolute. Without the flag: /run/delos for root, the user's runtime folder for others. */
export function containerRoot(globals: Values<readonly Flag[]>): string {
  const { root } = globals;
  return typeof root === 'string' && root !== '' ? path.resolve(root) : defaultRoot(process.geteuid?.() ?? 0, process.env);
}

export function defaultRoot(uid: number, env: NodeJS.ProcessEnv): string {
  if (uid === 0) return '/run/delos';
  return path.join(env['XDG_RUNTIME_DIR'] || `/run/user/${uid}`, 'delos');
}
