import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { O_CLOEXEC } from '../abi/fcntl.ts';
import { DelosError } from '../lib/errors.ts';
import type { EncodedPlan } from '../plan/encode.ts';
import { LoadedPlan } from '../runtime/loaded-plan.ts';
import type { Place } from '../runtime/place.ts';
import { readProcessStat } from '../runtime/process-stat.ts';
import { pair } from '../runtime/zygote.ts';
import { buildFolder } from '../sys/build-folder.ts';
import { executorFd } from '../sys/memfd.ts';
import type { HealthPlan } from './health.ts';
import type { Supervisor } from './restart.ts';

const read = promisify(fs.read);

/** How a monitor is started; native/monitor.c has the details. */
export interface MonitorOptions {
  /** The container's folder. */
  readonly folder: string;
  /** Where the container's output goes: straight to the caller's, or through pipes or a terminal into the log. */
  readonly output: 'direct' | 'pipes' | 'terminal';
  /** `direct`: the container gets the caller's stdin. Else: it is kept open for those who attach. */
  readonly openStdin: boolean;
  /** The caller goes away; `cleanUp` is run when the container has ended. */
  readonly detached: boolean;
  /** The file that names init once it is there. */
  readonly initFile: string;
  /** The cgroup's file that counts how often memory was exhausted; empty without cgroup. */
  readonly oomFile: string;
  /** A last word is added to it: `end`, or `check` for a health check. */
  readonly cleanUp: readonly string[];
  /** How often its health is looked after. */
  readonly health?: Pick<HealthPlan, 'intervalMs' | 'startIntervalMs'>;
  /** Listening socket that the terminal's master is sent to. */
  readonly consoleListener?: number;
}

/** Runs a plan as the child of a monitor, which stays when the plan has run and is the container's parent. */
export class Monitor implements Place {
  readonly refused = undefined;
  readonly #options: MonitorOptions;
  #process: ChildProcess | undefined;
  #ended: Promise<number> | undefined;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  /** Gives 0 when the container waits for its start. @throws DelosError kernel-refused, hook-failed, interrupted */
  async run(plan: EncodedPlan): Promise<number> {
    using loaded = new LoadedPlan(plan);
    const code = await readByte(this.#spawn(loaded.fd));
    if (code !== undefined && code !== 0) loaded.check();
    if (code === undefined) throw new DelosError('interrupted', 'the process that watches the container was killed while the container was being made');
    if (code !== 0) throw new Error(`assertion: the monitor ended with ${code} and no report`);
    return code;
  }

  /** Its process. It stays the same one when it becomes the command that cleans up. */
  get supervisor(): Supervisor | undefined {
    const stat = this.#process?.pid === undefined ? undefined : readProcessStat(this.#process.pid);
    return stat && { pid: stat.pid, startTime: String(stat.startTime) };
  }

  /** The container's exit code. The monitor ends when it is written down. */
  ended(): Promise<number> {
    if (this.#ended === undefined) throw new Error('assertion: the monitor does not run');
    this.#process?.ref();
    return this.#ended;
  }

  /** Gives the pipe that it tells of the plan's end by. */
  #spawn(plan: number): number {
    const { folder, output, openStdin, detached, initFile, oomFile, cleanUp, health, consoleListener } = this.#options;
    const directory = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    const [ready, told] = pair('pipe2', O_CLOEXEC);
    const direct = output === 'direct';
    const mode = (output === 'pipes' ? 'l' : output === 'terminal' ? 't' : '-') + (openStdin ? 'i' : '') + (detached ? 'd' : '');
    try {
      const child = spawn(path.join(buildFolder(), 'monitor'), [mode, initFile, oomFile, health === undefined ? '' : `${health.intervalMs}/${health.startIntervalMs}`, ...cleanUp], {
        cwd: '/',
        // A session of its own: keys of the terminal and its end do not reach it.
        detached: true,
        stdio: [
          direct && openStdin ? 0 : 'ignore', direct ? 1 : 'ignore', direct ? 2 : 'ignore',
          directory, told, plan, executorFd(), ...(consoleListener === undefined ? [] : [consoleListener]),
        ],
      });
      this.#process = child;
      this.#ended = once(child, 'exit').then(([code]) => (code as number | null) ?? 255);
      child.unref();
      return ready;
    } finally {
      fs.closeSync(directory);
      fs.closeSync(told);
    }
  }
}

/** The first byte, or nothing when the other side is closed without one. Closes the pipe; a stream over it takes longer to make than to wait. */
async function readByte(pipe: number): Promise<number | undefined> {
  try {
    const byte = new Uint8Array(1);
    const { bytesRead } = await read(pipe, byte, 0, 1, null);
    return bytesRead === 1 ? byte[0] : undefined;
  } finally {
    fs.closeSync(pipe);
  }
}
