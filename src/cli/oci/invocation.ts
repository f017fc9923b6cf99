import type { Place } from '../../runtime/place.ts';
import type { Flag, Invocation, Program, Values } from '../../vocabulary/flags.ts';
import type { globalFlags } from './global-flags.ts';
import type { Log } from './log.ts';

/** What a command line is read against besides its words: those of this process, or of the one that asked it. */
export interface Caller {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  /** Its /proc/PID/cgroup, when it is not this process. */
  readonly cgroup?: string;
  /** The file of this program, for a command that starts it again. */
  readonly program: string;
  /** Called before hooks that this process would run, with its output and in its cgroup. @throws OwnProcessNeeded where that is not the caller's */
  readonly beforeHooks?: () => void;
  /** Where plans run, given the command line that tells of a refusal. */
  readonly place: (report: readonly string[]) => Place;
}

/** What every command of delos-oci is given. `globals.root` is absolute and never empty. */
export interface OciInvocation<F extends readonly Flag[]> extends Invocation<F, readonly Flag[]> {
  readonly program: Program;
  readonly globals: Values<typeof globalFlags> & { readonly root: string };
  readonly caller: Caller;
  readonly log: Log;
}
