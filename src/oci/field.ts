import { buffer, cell, Cell, sharedCell, type Block } from '../plan/block.ts';
import { Label, type Item } from '../plan/step.ts';
import type { Config, NamespaceType } from './config/types.ts';
import type { Facts } from './facts.ts';
import type { CgroupDirectory } from '../cgroup/path.ts';

/** How much of a field of config.json is done; docs/reference/oci.md is made of it. */
export type Support = 'full' | { readonly partial: string } | { readonly refused: string };

/** A copy-on-write root, mounted in the container's own mount namespace: nothing of it is ever seen on the host. */
export interface Overlay {
  /** The folders that are shared and stay as they are, absolute, the uppermost first: 500 at most. */
  readonly lowers: readonly string[];
  /** A folder with `upper` and `work` that keeps what is written. Absent: a tmpfs that vanishes with the container. */
  readonly layer?: string;
}

/** What the caller wants besides config.json. Paths are absolute. */
export interface Request {
  readonly id: string;
  readonly bundle: string;
  /** root.path, resolved. */
  readonly rootfs: string;
  /** Mounted over `rootfs` to be the root in its place. */
  readonly overlay?: Overlay;
  /** The container's folder under the runtime's root. */
  readonly folder: string;
  /** Wait for `start` before the program runs, as `create` does. */
  readonly held: boolean;
  readonly pidFile?: string;
  readonly consoleSocket?: string;
  /** Descriptors from 3 on that the program inherits. */
  readonly preserveFds: number;
  /** How many of them the program is told of in LISTEN_FDS. */
  readonly listenFds: number;
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  /** `exec`: the container that the process goes into, as it is now. Absent for one that is being made. */
  readonly container?: { readonly status: string; readonly pid: number };
  /** Where each hierarchy has the container's cgroup. */
  readonly cgroup: readonly CgroupDirectory[];
}

/** The values that are known only when the plan runs. */
export class Cells {
  /** The init process, for the runtime. */
  readonly pidfd = cell('pidfd', -1);
  readonly pid = sharedCell('pid');
  /** Both ends of the channel between runtime and init: one byte says go on, two say refused. */
  readonly channel: Block = buffer(16, '&channel');
  readonly runtimeEnd = new Cell('runtime end', this.channel, 0);
  readonly initEnd = new Cell('init end', this.channel, 4);
  readonly message = buffer(8, 'message');
  /** /proc/PID of init, in the runtime. */
  readonly procPid = cell('/proc/PID');
  /** The container's root, in init. */
  readonly root = cell('root');
  /** Scratch descriptors; each is used and closed within a few steps. */
  readonly target = cell('target');
  readonly mount = cell('mount');
  readonly directory = cell('directory');
  readonly file = cell('file');
  readonly length = cell('length');
  readonly #named = new Map<string, Cell>();

  /** What init enters a cgroup by. */
  tasks(directory: string): Cell {
    return this.#descriptor(`${directory}/tasks`);
  }

  /** A mount of a layer of the root. */
  layer(directory: string): Cell {
    return this.#descriptor(`mount of ${directory}`);
  }

  #descriptor(name: string): Cell {
    const known = this.#named.get(name) ?? cell(name, -1);
    this.#named.set(name, known);
    return known;
  }
}

/** A namespace that is there already. src/oci/joining.ts */
export interface Joined {
  readonly type: NamespaceType;
  readonly path: string;
  readonly why: string;
  /** Open on it, from the joining process on. */
  readonly file: Cell;
}

/** Everything a field plans from. */
export interface Build {
  readonly config: Config;
  readonly facts: Facts;
  readonly request: Request;
  readonly cells: Cells;
  /** What the process joins; what it gets new is in the configuration. */
  readonly joined: readonly Joined[];
}

/**
 * One field of config.json, or one thing every container needs: which steps it adds where. The three lists run in the order of
 * src/oci/order.ts; those of `after` and `init` run at the same time in two processes, and meet at the channel.
 */
export interface Field {
  /** JSON pointers into config.json. Empty for what no field asks for. */
  readonly at: readonly string[];
  readonly support: Support;
  /** In the runtime, before init exists. */
  before?(build: Build): Item[];
  /** In the process that joins namespaces for init, before it does so; there is none when there is nothing to join. */
  joining?(build: Build): Item[];
  /** In the runtime, once init exists. */
  after?(build: Build): Item[];
  /** In init. */
  init?(build: Build): Item[];
}

/** The namespace entry of a type, or undefined. */
export function namespaceOf(config: Config, type: NamespaceType): { readonly path?: string; readonly pointer: string } | undefined {
  const index = config.linux?.namespaces?.findIndex((namespace) => namespace.type === type) ?? -1;
  const found = config.linux?.namespaces?.[index];
  return found && { ...(found.path !== undefined && { path: found.path }), pointer: `/linux/namespaces/${index}` };
}

/** Whether the container gets a new namespace of this type. */
export function hasNew(config: Config, type: NamespaceType): boolean {
  const found = namespaceOf(config, type);
  return found !== undefined && found.path === undefined;
}

/** Whether the container has another user namespace than the runtime, so that init is not the root of the host. */
export function hasOwnUser({ config, joined }: Pick<Build, 'config' | 'joined'>): boolean {
  return hasNew(config, 'user') || joined.some(({ type }) => type === 'user');
}

/** A label with a name that says what is there. */
export function label(name: string): Label {
  return new Label(name);
}
