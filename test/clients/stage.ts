import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { leaks } from '../support/leaks.ts';
import { marker } from '../support/marker.ts';
import { runCommand, startCommand, type Ended, type Running } from '../support/peers.ts';
import { CgroupSweep } from './cgroup-sweep.ts';

const driver = path.resolve(import.meta.dirname, '../support/on-terminal.py');

/** podman makes a mount of /run/netns that it leaves, with every runtime. */
const setting = `
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs tmpfs /dev/shm
  mkdir -p "$0" /run/netns
  mount --bind /run/netns /run/netns
  mount --make-rshared /run/netns
  ip link set lo up
  echo ready
  read -r end
`;

/** What an awaited text on a terminal is answered with. */
type Step = readonly [awaited: string, typed: string];

/**
 * Where an engine runs: a mount and a network namespace of its own, in which /run and /dev/shm are new. The host's engines and its
 * planner are neither seen nor disturbed, and what an engine keeps there goes with the stage.
 */
export class Stage implements AsyncDisposable {
  /** For the engine's own files; seen on the stage only. */
  static readonly folder = '/run/client';
  readonly #holder: ChildProcess;
  readonly #mounts: readonly string[];
  readonly #started: Running[] = [];
  readonly #sweep = new CgroupSweep(marker);

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
    this.#mounts = this.#mountPoints();
  }

  static async open(): Promise<Stage> {
    const holder = spawn('unshare', ['--mount', '--net', '--propagation', 'private', 'sh', '-euc', setting, Stage.folder], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [said] = (await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')])) as [unknown];
    assert.equal(String(said), 'ready\n', 'the stage cannot be set');
    return new Stage(holder);
  }

  /** The command line that runs a command on the stage. */
  words(command: readonly string[]): string[] {
    return ['nsenter', `--target=${this.#holder.pid}`, '--mount', '--net', ...command];
  }

  run(command: readonly string[], input = '', env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return runCommand(this.words(command), input, env);
  }

  /** Starts a daemon, which is ended with the stage. */
  start(command: readonly string[]): Running {
    const running = startCommand(this.words(command), {}, 120_000);
    this.#started.push(running);
    return running;
  }

  /** Runs a command on a terminal of 30 rows and 100 columns. @returns what the terminal has shown, and the exit code */
  async onTerminal(command: readonly string[], steps: readonly Step[], env: Readonly<Record<string, string>> = {}): Promise<{ output: string; code: number }> {
    const { stdout, stderr } = await runCommand(['python3', driver, '30', '100', JSON.stringify(steps), ...this.words(command)], '', env);
    assert.equal(stderr, '');
    const { output, code, left } = JSON.parse(stdout) as { output: string; code: number; left: number };
    assert.equal(left, 0, `not everything was typed: ${output}`);
    return { output, code };
  }

  /** Where a path of the stage is for this process. */
  outside(inner: string): string {
    return path.join(`/proc/${this.#holder.pid}/root`, inner);
  }

  /** Writes a file of the engine's folder. @returns its path on the stage */
  write(name: string, content: string | Uint8Array): string {
    const inner = path.join(Stage.folder, name);
    fs.writeFileSync(this.outside(inner), content);
    return inner;
  }

  /**
   * What is left of containers on the stage. The kernel removes some things a moment after their last user; it is given `withinMs`.
   * @param own mount points of the engine's own
   */
  async remains(own: readonly string[] = [], withinMs = 2000): Promise<{ mounts: string[]; cgroups: string[]; containers: string[] }> {
    const known = [...this.#mounts, ...own];
    const look = () => ({ mounts: this.#mountPoints().filter((point) => !known.includes(point)), cgroups: this.#sweep.remains(), containers: this.#containers() });
    const deadline = performance.now() + withinMs;
    let found = look();
    while (performance.now() < deadline && Object.values(found).some((list) => list.length > 0)) {
      await sleep(20);
      found = look();
    }
    return found;
  }

  #mountPoints(): string[] {
    return fs.readFileSync(`/proc/${this.#holder.pid}/mountinfo`, 'utf8').trimEnd().split('\n').map((line) => line.split(' ')[4] ?? '');
  }

  /** The folders that `delos-oci` keeps of containers: below its own root, and below containerd's. */
  #containers(): string[] {
    return fs.globSync(['run/delos/*/', 'run/containerd/runc/*/*/'], { cwd: this.outside('/') });
  }

  /** Ends the daemons. Containers that run even now are those of a failed test; they are killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#started) child.kill('SIGTERM');
    await Promise.all(this.#started.map(({ ended }) => ended));
    for (const line of leaks().processes) kill(Number.parseInt(line, 10));
    this.#holder.kill('SIGKILL');
    await this.#sweep.remove();
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
