import { once } from 'node:events';
import fs from 'node:fs';
import { F_DUPFD, F_SETFD } from '../abi/fcntl.ts';
import { Address, Block, Cell, cStrings } from '../plan/block.ts';
import { DelosError } from '../lib/errors.ts';
import { planFd, type EncodedPlan } from '../plan/encode.ts';
import { call, type Item } from '../plan/step.ts';
import { drainSignals, unblockSignals } from '../oci/signals.ts';
import { childProcess } from '../sys/builtin.ts';
import { executorFd, memfd } from '../sys/memfd.ts';
import { syscall } from '../sys/syscall.ts';
import { LoadedPlan } from './loaded-plan.ts';

/** Thrown where a command has to be begun again by the process of who asked for it; nothing was done yet. */
export class OwnProcessNeeded extends Error {}

/** Where and how a plan is run. */
export interface Place {
  /** How the plan ends when a call is refused; undefined when whoever runs it reads its report. */
  readonly refused: readonly Item[] | undefined;
  /**
   * Runs the plan. Gives the executor's exit code.
   * @param preserve how many descriptors from 3 on go to the container
   * @throws DelosError kernel-refused or hook-failed
   */
  run(plan: EncodedPlan, preserve: number): Promise<number>;
  /** Called before something that only works in the process of who asked, such as a terminal. @throws OwnProcessNeeded where this is another one */
  needOwnProcess?(): void;
}

/** An executor of its own, a child of this process, with this process's stdio. */
export const spawned: Place = {
  refused: undefined,
  async run(plan, preserve) {
    using loaded = new LoadedPlan(plan);
    const inherited = Array.from({ length: 3 + preserve }, (_, fd) => fd);
    const child = childProcess().spawn(executorPath(), [String(inherited.length)], { stdio: [...inherited, loaded.fd] });
    await once(child, 'exit');
    return loaded.check();
  },
};

/**
 * This process becomes the executor, so that nothing of Node is left while the container runs and the container is a child of
 * whoever waits for this process.
 * @param report the command that tells of a refusal; the plan's descriptor is added to it
 */
export function becoming(report: readonly string[]): Place {
  return {
    refused: reportSteps(report, environmentText()),
    run(plan, preserve) {
      const fd = syscall('fcntl', memfd('delos-plan', plan.bytes), F_DUPFD, 3 + preserve);
      for (let preserved = 3; preserved < 3 + preserve; preserved++) keepOpen(preserved);
      process.execve?.(executorPath(), ['delos-exec', String(fd)], process.env as Record<string, string>);
      throw new Error('assertion: execve came back');
    },
  };
}

/** Node marks what it inherits close-on-exec. Where nothing was inherited, the first thing it has opened itself is an epoll. */
function keepOpen(fd: number): void {
  try {
    if (fs.readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:[eventpoll]') throw new Error("an epoll of Node's");
    syscall('fcntl', fd, F_SETFD, 0);
  } catch (cause) {
    throw new DelosError('bad-usage', `--preserve-fds: descriptor ${fd} is not open`, { cause });
  }
}

/** The end of a refused plan whose runner is gone: a program is started over it that reads the report. */
export function reportSteps(command: readonly string[], env: readonly string[]): Item[] {
  const [path = ''] = command;
  const number = new Block(new Uint8Array(16), () => '"plan descriptor"');
  const argv = cStrings([...command, '']);
  argv.links.pop();
  argv.link(8 * command.length, number);
  return [
    call('decimal', [new Address(new Cell('digits', number, 0)), planFd], 'the report is in the plan'),
    // They were for a container that is no more, and Node would die of them.
    ...drainSignals('tells of the refusal'),
    unblockSignals('tells of the refusal'),
    call('execve', [path, argv, cStrings(env)], 'tells of the refusal'),
    call('exit_group', [125], 'nobody is there to tell'),
  ];
}

function executorPath(): string {
  return `/proc/self/fd/${executorFd()}`;
}

/** The little of the environment that the report needs. */
function environmentText(): string[] {
  return ['PATH', 'XDG_RUNTIME_DIR'].flatMap((name) => (process.env[name] === undefined ? [] : [`${name}=${process.env[name]}`]));
}
