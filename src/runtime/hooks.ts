import { once } from 'node:events';
import fs from 'node:fs';
import { errnoOf } from '../cgroup/control-file.ts';
import { DelosError } from '../lib/errors.ts';
import type { Hook } from '../oci/config/types.ts';
import { childProcess } from '../sys/builtin.ts';
import { memfd } from '../sys/memfd.ts';
import type { OciState } from './state.ts';

/** What a timer of Node can wait for; beyond that it would go off at once. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Runs the hooks that belong to `start` and `delete`, one after the other, each with the container's state on stdin; the other
 * four lists are part of the plan. It begins in the bundle, and what it prints goes to stderr. config.md "POSIX-platform Hooks"
 * @throws DelosError hook-failed for the first that does not exit with 0; those after it are not run
 */
export async function runHooks(list: 'poststart' | 'poststop', hooks: readonly Hook[] | undefined, state: OciState): Promise<void> {
  const text = Buffer.from(JSON.stringify(state));
  for (const [index, hook] of (hooks ?? []).entries()) {
    const failure = await runHook(hook, text, fs.existsSync(state.bundle) ? state.bundle : '/');
    if (failure === undefined) continue;
    throw new DelosError('hook-failed', `hooks.${list}[${index}] (${hook.path}): ${failure}`, { field: `/hooks/${list}/${index}` });
  }
}

/** Gives what went wrong, or nothing. */
async function runHook({ path, args = [path], env = [], timeout }: Hook, state: Uint8Array, cwd: string): Promise<string | undefined> {
  // Not a pipe: a hook may leave its input unread, and the state may be larger than a pipe holds.
  const stdin = memfd('state', state);
  try {
    const child = childProcess().spawn(path, args.slice(1), {
      argv0: args[0] ?? path, cwd, env: environment(env), stdio: [stdin, 2, 2],
      ...(timeout !== undefined && { timeout: Math.min(timeout * 1000, LONGEST_MS), killSignal: 'SIGKILL' }),
    });
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (code === 0) return undefined;
    if (child.killed) return `did not end within ${timeout} s and was killed`;
    return code === null ? `was killed by ${signal}` : `exited with ${code}`;
  } catch (error) {
    return `could not be started: ${errnoOf(error) ?? String(error)}`;
  } finally {
    fs.closeSync(stdin);
  }
}

/** Exactly what the hook asks for: nothing of ours is handed down. */
function environment(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(entries.map((entry) => {
    const equals = entry.indexOf('=');
    return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
  }));
}
