import { MFD_CLOEXEC, SEEK_SET } from '../abi/fcntl.ts';
import { Address, Block, Cell, cell, cStrings } from '../plan/block.ts';
import { call, type Item } from '../plan/step.ts';
import { whileInitWaits } from './channel.ts';
import type { Hook } from './config/types.ts';
import { hasNew, type Build, type Field } from './field.ts';
import { runProgram, type Program } from './hook-process.ts';

/** The container's state as hooks get it on stdin, with room for a pid that is only known when the plan runs. JSON allows the spaces. */
type Status = 'creating' | 'created' | 'running' | 'stopped';

function stateText(build: Build, status: Status): { text: Block; length: number; pid: Address } {
  const { config, request } = build;
  const marker = '"pid":';
  const head = JSON.stringify({ ociVersion: config.ociVersion, id: request.id, status }).slice(0, -1);
  const tail = JSON.stringify({ bundle: request.bundle, ...(config.annotations && { annotations: config.annotations }) }).slice(1);
  const before = Buffer.from(`${head},${marker}`);
  const whole = Buffer.from(`${head},${marker}${' '.repeat(10)},${tail}`);
  const text = new Block(whole, () => `${head},${marker}PID,${tail}`);
  return { text, length: whole.length, pid: new Address(new Cell('pid in the state', text, before.length)) };
}

/** The longest wait that poll(2) takes, 24 days. */
const MOST_MS = 0x7fffffff;

/** How a list of hooks is run. Of a working directory and a mask the specification has no word; runc and crun begin in the bundle. */
type Surroundings = Pick<Program, 'cwd' | 'umask' | 'tolerant'>;

/** Runs a list of hooks one after the other, each with the state on stdin; the first that fails ends the container. */
function runHooks(build: Build, name: string, hooks: readonly Hook[], status: Status, pid: Cell, surroundings: Surroundings): Item[] {
  if (hooks.length === 0) return [];
  const state = stateText(build, status);
  const stdin = cell('state');
  const why = `/hooks/${name}`;
  return [
    call('decimal', [state.pid, pid], why),
    call('memfd_create', ['state', MFD_CLOEXEC], why, { out: stdin }),
    call('write', [stdin, state.text, state.length], why, { want: state.length }),
    ...hooks.flatMap((hook, index) => [
      call('lseek', [stdin, 0, SEEK_SET], `${why}/${index}`),
      ...runProgram(
        { path: hook.path, argv: cStrings(hook.args ?? [hook.path]), env: hook.env ?? [], stdin, timeoutMs: hook.timeout === undefined ? -1 : Math.min(hook.timeout * 1000, MOST_MS), ...surroundings },
        `${why}/${index}`,
      ),
    ]),
    call('close', [stdin], why),
  ];
}

/** prestart and createRuntime: in the runtime, when the namespaces are there and before the root is entered. config.md "POSIX-platform Hooks" */
export const runtimeHooks: Field = {
  at: ['/hooks/prestart', '/hooks/createRuntime'],
  support: 'full',
  after: (build) => early(build)?.after ?? [],
  init: (build) => early(build)?.init ?? [],
};

function early(build: Build): ReturnType<typeof whileInitWaits> | undefined {
  const { prestart = [], createRuntime = [] } = build.config.hooks ?? {};
  if (prestart.length + createRuntime.length === 0) return undefined;
  const steps = [
    ...runHooks(build, 'prestart', prestart, 'creating', build.cells.pid, { cwd: build.request.bundle }),
    ...runHooks(build, 'createRuntime', createRuntime, 'creating', build.cells.pid, { cwd: build.request.bundle }),
  ];
  return whileInitWaits(build, steps, 'the hooks find the namespaces');
}

/**
 * createContainer: in the container's namespaces, but before its root is entered, so the path is the runtime's. The plan has no
 * mask there, with which these hooks would make files that anybody can write to.
 */
export const createContainerHooks: Field = {
  at: ['/hooks/createContainer'],
  support: 'full',
  init: (build) => runHooks(build, 'createContainer', build.config.hooks?.createContainer ?? [], 'creating', build.cells.pid, { cwd: build.request.bundle, umask: 0o022 }),
};

/** startContainer: in the container, after `start` and before the program. In a pid namespace of its own, init is 1 there. */
export const startContainerHooks: Field = {
  at: ['/hooks/startContainer'],
  support: 'full',
  init: (build) => {
    const hooks = build.config.hooks?.startContainer ?? [];
    if (hooks.length === 0) return [];
    const own = cell('own pid');
    const pid = hasNew(build.config, 'pid') ? own : build.cells.pid;
    return [call('getpid', [], '/hooks/startContainer', { out: own }), ...runHooks(build, 'startContainer', hooks, 'created', pid, {})];
  },
};

/** poststart of a container that was not held: once its program runs. One that fails ends the container, as the specification has it. */
export const poststartHooks: Field = {
  at: ['/hooks/poststart'],
  support: 'full',
  after: (build) => (build.request.held ? [] : runHooks(build, 'poststart', build.config.hooks?.poststart ?? [], 'running', build.cells.pid, { cwd: build.request.bundle })),
};

/** poststop of a container that was not held. `delete` runs those of others (src/runtime/hooks.ts). A failure changes nothing. */
export function poststopSteps(build: Build): Item[] {
  return runHooks(build, 'poststop', build.config.hooks?.poststop ?? [], 'stopped', build.cells.pid, { cwd: build.request.bundle, tolerant: true });
}
