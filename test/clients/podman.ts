import assert from 'node:assert/strict';
import path from 'node:path';
import { marker } from '../support/marker.ts';
import type { Ended } from '../support/peers.ts';
import { rootTar } from './image.ts';
import { Stage } from './stage.ts';

/** Limits that a root without CAP_SYS_RESOURCE may set, and nothing that needs systemd. */
const configuration = `
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
env = ["PATH=/bin", "DELOS_TEST=${marker}"]
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "${Stage.folder}/tmp"
[network]
network_config_dir = "${Stage.folder}/networks"
`;

/** podman as root on a stage, with folders of its own and one image: busybox. */
export class Podman implements AsyncDisposable {
  static readonly image = 'localhost/busybox';
  readonly stage: Stage;
  readonly #command: readonly string[];
  readonly #env: Readonly<Record<string, string>>;

  private constructor(stage: Stage, runtime: string) {
    this.stage = stage;
    const folder = (name: string): string => path.join(Stage.folder, name);
    this.#command = ['podman', '--root', folder('storage'), '--runroot', folder('runroot'), '--runtime', runtime];
    this.#env = { CONTAINERS_CONF: stage.write('containers.conf', configuration), HOME: Stage.folder };
  }

  /** @param install gives the path of the runtime's command on the stage */
  static async open(install: (stage: Stage) => string | Promise<string>): Promise<Podman> {
    await using opened = new AsyncDisposableStack();
    const stage = opened.use(await Stage.open());
    const podman = new Podman(stage, await install(stage));
    await podman.output('import', stage.write('root.tar', rootTar()), Podman.image);
    opened.move();
    return podman;
  }

  /** Runs `podman ARGS` to its end. */
  call(args: readonly string[], input = ''): Promise<Ended> {
    return this.stage.run([...this.#command, ...args], input, this.#env);
  }

  /** What a command prints that must succeed. */
  async output(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.call(args);
    assert.equal(status, 0, `podman ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** `podman run` with flags and a command, the container's cgroup below one of our own. */
  run(flags: readonly string[], ...command: readonly string[]): Promise<Ended> {
    return this.call(runWords(flags, command));
  }

  runOnTerminal(flags: readonly string[], script: string, steps: Parameters<Stage['onTerminal']>[1]): ReturnType<Stage['onTerminal']> {
    return this.onTerminal(runWords(['-it', ...flags], ['sh', '-c', script]), steps);
  }

  onTerminal(args: readonly string[], steps: Parameters<Stage['onTerminal']>[1]): ReturnType<Stage['onTerminal']> {
    return this.stage.onTerminal([...this.#command, ...args], steps, this.#env);
  }

  /** As the stage's, but for the mount that podman makes of its store and at times leaves. */
  async remains(): ReturnType<Stage['remains']> {
    return this.stage.remains([path.join(Stage.folder, 'storage/overlay')]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stage[Symbol.asyncDispose]();
  }
}

function runWords(flags: readonly string[], command: readonly string[]): string[] {
  return ['run', '--cgroup-parent', `/${marker}`, ...flags, Podman.image, ...command];
}
