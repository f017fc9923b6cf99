import path from 'node:path';
import manifest from '../../../package.json' with { type: 'json' };
import { DelosError } from '../../lib/errors.ts';
import { SystemCallError } from '../../sys/syscall.ts';
import { OwnProcessNeeded } from '../../runtime/place.ts';
import { defaultRoot } from '../../runtime/store.ts';
import { readFlags, type Reading } from '../../vocabulary/flag-reader.ts';
import { parseCommandLine, versionFlag, type Flag, type Invocation, type Values } from '../../vocabulary/flags.ts';
import { commandHelp, programHelp } from '../../vocabulary/help.ts';
import { EXEC_FAILED, FAILED } from './exit-codes.ts';
import { globalFlags } from './global-flags.ts';
import type { Caller, OciInvocation } from './invocation.ts';
import { Log, type LogOptions } from './log.ts';
import { print, writeText } from './output.ts';
import { program } from './program.ts';

/**
 * Runs one command line of `delos-oci`. What goes wrong is a line of the log.
 * @param argv the words after the program's own name
 * @param caller whose command line it is; relative paths begin in its working directory
 * @returns the exit code: 0, 1 for an error (`exec`: 255), or the container's for `run` and `exec`
 * @throws OwnProcessNeeded, when the caller's place says so, and nothing else
 */
export async function ociMain(argv: readonly string[], caller: Caller): Promise<number> {
  let log = new Log({ format: 'text', debug: false });
  try {
    log = new Log(logOptions(argv, caller.cwd));
    return await dispatch(argv, caller, log);
  } catch (error) {
    if (error instanceof OwnProcessNeeded) throw error;
    log.error(sentence(error));
    // A bug of ours is looked for where it was thrown.
    if (!isExpected(error)) writeText(2, `${error instanceof Error ? error.stack : String(error)}\n`);
    return failureCode(argv);
  } finally {
    log[Symbol.dispose]();
  }
}

/** The log is opened before the command is looked at, so that engines find a wrong command line in it. @throws DelosError bad-usage, io */
function logOptions(argv: readonly string[], cwd: string): LogOptions {
  const { log, 'log-format': format, debug } = readGlobals(argv).values as Values<typeof globalFlags>;
  if (format !== 'text' && format !== 'json') throw new DelosError('bad-usage', `invalid log-format: ${format}`);
  return { file: log ? path.resolve(cwd, log) : undefined, format, debug };
}

function readGlobals(argv: readonly string[]): Reading {
  return readFlags(argv, [...globalFlags, versionFlag], program.dialect, true);
}

async function dispatch(argv: readonly string[], caller: Caller, log: Log): Promise<number> {
  const parsed = parseCommandLine(program, argv);
  if (parsed.kind === 'run') {
    const { command } = parsed.invocation;
    const { run } = await command.load();
    return run(withContext(parsed.invocation, caller, log));
  }
  if (parsed.kind === 'version') print(`delos-oci version ${manifest.version}\nspec: 1.3.0\n`);
  else print(parsed.command === undefined ? programHelp(program, parsed.group) : commandHelp(program, parsed.command));
  return 0;
}

function withContext(invocation: Invocation, caller: Caller, log: Log): OciInvocation<readonly Flag[]> {
  const globals = invocation.globals as Values<typeof globalFlags>;
  const root = globals.root ? path.resolve(caller.cwd, globals.root) : defaultRoot();
  return { ...invocation, globals: { ...globals, root }, caller, log };
}

function isExpected(error: unknown): boolean {
  return error instanceof DelosError || error instanceof SystemCallError;
}

function sentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return isExpected(error) ? message : `internal error: ${message}`;
}

function failureCode(argv: readonly string[]): number {
  try {
    return readGlobals(argv).positional[0] === 'exec' ? EXEC_FAILED : FAILED;
  } catch {
    return FAILED;
  }
}
