import { spawn, spawnSync, type ChildProcess, type SpawnSyncReturns } from 'node:child_process';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { marker } from './marker.ts';

const build = path.resolve(import.meta.dirname, '../../build');
const products = ['delos-oci', 'delos-oci.cjs', 'delos-oci.main.cjs', 'exec', 'sys.node'];
const holder = 'mkdir -p /run/delos && mount -t tmpfs tmpfs /run/delos && echo && exec sleep 600';

/** What a front says that finds no planner to do it: there is no Node beside it. */
export const cold = { status: 125, stderr: 'delos-oci: Node cannot be started\n' };

/**
 * A mount namespace with an empty /run/delos, and a copy of `delos-oci` without Node, so that what its front does it does through a
 * planner or not at all.
 */
export class PlannerStage implements AsyncDisposable {
  /** Where the copy is. */
  readonly build: string;
  /** /run/delos of the stage, as this process sees it. */
  readonly folder: string;
  readonly socket: string;
  readonly #enter: readonly string[];
  readonly #holder: ChildProcess;
  readonly #planners: ChildProcess[] = [];

  private constructor(child: ChildProcess, folder: string) {
    this.#holder = child;
    this.build = folder;
    this.#enter = ['nsenter', `--mount=/proc/${child.pid}/ns/mnt`];
    this.folder = `/proc/${child.pid}/root/run/delos`;
    this.socket = path.join(this.folder, 'planner.sock');
  }

  static async open(): Promise<PlannerStage> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), `${marker}-`));
    for (const name of products) fs.copyFileSync(path.join(build, name), path.join(folder, name));
    const child = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-euc', holder], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    return new PlannerStage(child, folder);
  }

  /** A command line that is run on the stage. */
  command(...words: readonly string[]): string[] {
    return [...this.#enter, ...words];
  }

  /** One of `delos-oci`, for spawn. */
  front(...words: readonly string[]): [program: string, args: string[]] {
    const [program = '', ...args] = this.command(path.join(this.build, 'delos-oci'), ...words);
    return [program, args];
  }

  /** Runs `delos-oci`, by way of a command that executes its last words. */
  run(words: readonly string[], through: readonly string[] = [], env: NodeJS.ProcessEnv = process.env): SpawnSyncReturns<string> {
    const [program = '', ...args] = this.command(...through, path.join(this.build, 'delos-oci'), ...words);
    return spawnSync(program, args, { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL', env });
  }

  /** Starts a planner without waiting for it. nsenter executes it, so its pid is the planner's. */
  startPlanner(...flags: readonly string[]): ChildProcess {
    const [program = '', ...args] = this.command(path.join(build, 'node'), path.join(this.build, 'delos-oci.cjs'), 'planner', '--idle', '1m', ...flags);
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#planners.push(child);
    return child;
  }

  /** A planner that answers. */
  async planner(): Promise<ChildProcess> {
    const child = this.startPlanner();
    for (let tries = 0; !this.isWarm(); tries++) {
      assert.ok(tries < 500 && child.exitCode === null, 'the planner does not start');
      await sleep(10);
    }
    return child;
  }

  /** Whether `delos-oci` is answered by a planner. */
  isWarm(): boolean {
    const { status } = this.run(['state', 'nobody']);
    assert.ok(status === 1 || status === cold.status, `state: ${status}`);
    return status === 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [...this.#planners, this.#holder]) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    fs.rmSync(this.build, { recursive: true, force: true });
  }
}
