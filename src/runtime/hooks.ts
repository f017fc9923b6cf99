import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { once } from 'node:events';
import { DelosError } from '../lib/errors.ts';
import type { Hook } from '../oci/config/types.ts';
import { memfd } from '../sys/memfd.ts';
import type { OciState } from './state.ts';

/**
 * Runs the hooks that belong to `start` and `delete`, one after the other, each with the container's state on stdin; the other
 * four lists are part of the plan. What a hook prints goes to stderr. config.md "POSIX-platform Hooks"
 * @throws DelosError hook-failed for the first that does not exit with 0; those after it are not run
 */
export async function runHooks(list: 'poststart' | 'poststop', hooks: readonly Hook[] | undefined, state: OciState): Promise<void> {
  const text = Buffer.from(JSON.stringify(state));
  for (const [index, hook] of (hooks ?? []).entries()) {
    const outcome = await runHook(hook, text);
    if (outcome === undefined) continue;
    throw new DelosError('hook-failed', `hooks.${list}[${index}]: ${hook.path} ${outcome}`, { field: `/hooks/${list}/${index}` });
  }
}

/** Gives what went wrong, or nothing. */
async function runHook(hook: Hook, state: Uint8Array): Promise<string | undefined> {
  const { path, args = [path], timeout } = hook;
  // Not a pipe: a hook may leave its input unread, and the state may be larger than a pipe holds.
  const stdin = memfd('state', state);
  try {
    const child = spawn(path, args.slice(1), {
      argv0: args[0] ?? path, env: environment(hook.env ?? []), stdio: [stdin, 2, 2],
      ...(timeout !== undefined && { timeout: timeout * 1000, killSignal: 'SIGKILL' }),
    });
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (code === 0) return undefined;
    if (child.killed) return `did not end within ${timeout} s and was killed`;
    return code === null ? `was killed by ${signal}` : `exited with ${code}`;
  } catch (error) {
    return `could not be started: ${(error as NodeJS.ErrnoException).code}`;
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
