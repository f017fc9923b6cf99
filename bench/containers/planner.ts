import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateFolder } from './stage.ts';

const socket = path.join(stateFolder, 'planner.sock');
const aside = `${socket}.aside`;

/** A warm planner that can be hidden from `delos-oci`. */
export class Planner implements Disposable {
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  /** @param build the folder with node and delos-oci.cjs */
  static async start(build: string): Promise<Planner> {
    // --idle, so that it goes even if the bench is killed.
    const child = spawn(path.join(build, 'node'), [path.join(build, 'delos-oci.cjs'), 'planner', '--idle', '2m'], { stdio: 'ignore' });
    const planner = new Planner(child);
    for (let tries = 0; !fs.existsSync(socket); tries++) {
      if (tries > 300 || child.exitCode !== null) throw new Error('the planner does not start');
      await sleep(10);
    }
    return planner;
  }

  /** Runs something while `delos-oci` finds no planner. */
  async hidden<T>(work: () => Promise<T>): Promise<T> {
    this.#check();
    fs.renameSync(socket, aside);
    try {
      return await work();
    } finally {
      fs.renameSync(aside, socket);
    }
  }

  /** Its memory that is shared with nobody. */
  privateKb(): number {
    this.#check();
    const text = fs.readFileSync(`/proc/${this.#process.pid}/smaps_rollup`, 'utf8');
    return [...text.matchAll(/^Private_\w+: +(\d+) kB$/gm)].reduce((sum, [, kb]) => sum + Number(kb), 0);
  }

  /** Without it, figures called warm would not be. */
  #check(): void {
    if (!fs.existsSync(socket)) throw new Error('the planner ended during the bench');
  }

  [Symbol.dispose](): void {
    this.#process.kill();
  }
}
