import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { marker } from '../support/marker.ts';
import type { Ended } from '../support/peers.ts';
import { imageArchive, rootTar } from './image.ts';
import { Stage } from './stage.ts';

const address = path.join(Stage.folder, 'containerd.sock');

/** Without the plugins that are not asked for here; `opt` would make a folder of the host's. */
const configuration = `
version = 2
root = "${Stage.folder}/root"
state = "${Stage.folder}/state"
disabled_plugins = [
  "io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "${address}"
`;

/** A task as `ctr tasks ls` has it. */
interface Task {
  readonly pid: number;
  readonly status: string;
}

/** containerd on a stage, with folders of its own and one image: busybox. Its containers' cgroups are below one named after its namespace. */
export class Containerd implements AsyncDisposable {
  static readonly image = 'localhost/busybox:latest';
  readonly stage: Stage;
  readonly #runtime: readonly string[];

  private constructor(stage: Stage, runtime: string) {
    this.stage = stage;
    this.#runtime = ['--runtime', 'io.containerd.runc.v2', '--runc-binary', runtime, '--env', `DELOS_TEST=${marker}`];
  }

  /** @param install gives the path of the runtime's command on the stage */
  static async open(install: (stage: Stage) => string | Promise<string>): Promise<Containerd> {
    await using opened = new AsyncDisposableStack();
    const stage = opened.use(await Stage.open());
    const daemon = stage.start(['containerd', '--config', stage.write('containerd.toml', configuration)]);
    for (let tries = 0; !fs.existsSync(stage.outside(address)); tries++) {
      if (tries === 500 || daemon.child.exitCode !== null) assert.fail(`containerd does not start: ${(await daemon.ended).stderr}`);
      await sleep(20);
    }
    const containerd = new Containerd(stage, await install(stage));
    await containerd.output('images', 'import', stage.write('image.tar', imageArchive(Containerd.image, rootTar())));
    opened.move();
    return containerd;
  }

  /** Runs `ctr ARGS` to its end. */
  call(...args: readonly string[]): Promise<Ended> {
    return this.stage.run(this.#words(args));
  }

  /** What a command prints that must succeed. */
  async output(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.call(...args);
    assert.equal(status, 0, `ctr ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  run(flags: readonly string[], id: string, ...command: readonly string[]): Promise<Ended> {
    return this.call(...this.#runWords(flags, id, command));
  }

  runOnTerminal(id: string, script: string, steps: Parameters<Stage['onTerminal']>[1]): ReturnType<Stage['onTerminal']> {
    return this.stage.onTerminal(this.#words(this.#runWords(['--rm', '--tty'], id, ['sh', '-c', script])), steps);
  }

  execOnTerminal(id: string, script: string): ReturnType<Stage['onTerminal']> {
    return this.stage.onTerminal(this.#words(['tasks', 'exec', '--tty', '--exec-id', 'terminal', id, 'sh', '-c', script]), []);
  }

  /** @param execId tells the processes of one container apart */
  exec(execId: string, id: string, ...command: readonly string[]): Promise<Ended> {
    return this.call('tasks', 'exec', '--exec-id', execId, id, ...command);
  }

  /** The container's task, if it has one. */
  async task(id: string): Promise<Task | undefined> {
    const row = (await this.output('tasks', 'ls')).split('\n').map((line) => line.trim().split(/\s+/)).find(([name]) => name === id);
    return row && { pid: Number(row[1]), status: row[2] ?? '' };
  }

  #words(args: readonly string[]): string[] {
    return ['ctr', '--address', address, '--namespace', marker, ...args];
  }

  #runWords(flags: readonly string[], id: string, command: readonly string[]): string[] {
    return ['run', ...this.#runtime, ...flags, Containerd.image, id, ...command];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stage[Symbol.asyncDispose]();
  }
}
