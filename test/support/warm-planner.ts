import { spawn, type ChildProcess } from 'node:child_process';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const build = path.resolve(import.meta.dirname, '../../build');
const script = 'mkdir -p /run/delos && mount -t tmpfs tmpfs /run/delos && exec "$@"';

/** A warm planner that only this test's commands find: it has a /run/delos of its own, in a mount namespace of its own. */
export class WarmPlanner implements Disposable {
  /** The first words of a command line that finds it: `[...planner.command, '--root', root, 'run', id]`. */
  readonly command: readonly string[];
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
    this.command = ['nsenter', `--mount=/proc/${child.pid}/ns/mnt`, path.join(build, 'delos-oci')];
  }

  static async start(): Promise<WarmPlanner> {
    const planner = [path.join(build, 'node'), path.join(build, 'delos-oci.cjs'), 'planner', '--idle', '2m'];
    const child = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-euc', script, 'sh', ...planner], { stdio: 'ignore' });
    for (let tries = 0; !fs.existsSync(`/proc/${child.pid}/root/run/delos/planner.sock`); tries++) {
      assert.ok(tries < 500 && child.exitCode === null, 'the planner starts');
      await sleep(10);
    }
    return new WarmPlanner(child);
  }

  /** What is mounted where its commands run. */
  mounts(): string {
    return fs.readFileSync(`/proc/${this.#process.pid}/mountinfo`, 'utf8');
  }

  /** All it has open, sorted; sockets and the like by their kind alone. */
  descriptors(): string[] {
    const folder = `/proc/${this.#process.pid}/fd`;
    return fs.readdirSync(folder).flatMap((fd) => kindOf(path.join(folder, fd)) ?? []).sort();
  }

  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL');
  }
}

/** Nothing for a descriptor that was closed since it was listed. */
function kindOf(link: string): string | undefined {
  try {
    return fs.readlinkSync(link).replace(/:\[\d+\]$/, '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
