import { CLONE_PIDFD } from '../abi/clone.ts';
import { CLOSE_RANGE_CLOEXEC } from '../abi/fcntl.ts';
import { flagNames } from '../abi/names.ts';
import { SIGCHLD } from '../abi/signal.ts';
import { clone_args } from '../abi/structs.ts';
import { addressOf, Block, cell, cStrings, record, type Cell } from '../plan/block.ts';
import { call, jump, type Item } from '../plan/step.ts';
import { label, type Build } from './field.ts';
import { unblockSignals } from './signals.ts';

/** A program started by the plan while it runs: a hook, newuidmap. */
export interface Program {
  readonly path: string;
  readonly argv: Block;
  readonly env: readonly string[];
  /** Where it begins: the caller's working directory when it is left out or may not be entered. */
  readonly cwd?: string;
  /** Before its program runs; the plan's own when it is left out. */
  readonly umask?: number;
  /** Becomes its stdin. */
  readonly stdin?: Cell;
  /** Milliseconds, -1 for no limit; then it is killed and the step fails with ETIMEDOUT. */
  readonly timeoutMs: number;
  /** Whatever becomes of it is no failure. */
  readonly tolerant?: boolean;
}

/**
 * Runs a program to its end and fails unless it exits with 0. What it prints goes to stderr: stdout belongs to the container.
 * The steps of its process stand right here; the parent jumps over them.
 */
export function runProgram(program: Program, why: string): Item[] {
  const pidfd = cell('program');
  const child = label(`process of ${program.path}`);
  const parent = label(`${program.path} started`);
  const args = record(
    clone_args,
    { flags: CLONE_PIDFD, pidfd: addressOf(pidfd), exit_signal: SIGCHLD },
    { flags: (value) => flagNames('CLONE_', value) },
  );
  return [
    call('clone3', [args, clone_args.size], why, { child }),
    jump(parent, why),
    child,
    unblockSignals(why),
    ...(program.stdin ? [call('dup3', [program.stdin, 0, 0], why)] : []),
    call('dup3', [2, 1, 0], why),
    ...(program.cwd === undefined ? [] : [call('chdir', [program.cwd], why, { accept: { any: 'next' } })]),
    ...(program.umask === undefined ? [] : [call('umask', [program.umask], why)]),
    call('close_range', [3, 0xffffffff, CLOSE_RANGE_CLOEXEC], why),
    call('execve', [program.path, program.argv, cStrings(program.env)], why, program.tolerant ? { accept: { any: 'next' } } : {}),
    call('exit_group', [127], why),
    parent,
    call('wait', [pidfd, program.timeoutMs], why, program.tolerant ? { accept: { any: 'next' } } : { want: 0 }),
    call('close', [pidfd], why),
  ];
}

/** newuidmap(1) or newgidmap(1): TOOL PID words. */
export function runTool(build: Build, path: string, words: readonly string[], why: string): Item[] {
  const pid = new Block(new Uint8Array(24), () => '"PID"');
  const argv = cStrings([path, '', ...words]);
  argv.links.splice(1, 1);
  argv.link(8, pid);
  return [call('decimal', [pid, build.cells.pid], why), ...runProgram({ path, argv, env: [], timeoutMs: -1 }, why)];
}
