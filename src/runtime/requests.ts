import type { Overlay } from '../oci/field.ts';
import type { Config, Process } from '../oci/config/types.ts';

/** Where a command says what is not its result. */
export interface Notes {
  warn(message: string): void;
  debug(message: string): void;
}

/** What every command of `delos-oci` knows: the global flags. */
export interface Globals {
  /** Where the containers' folders are. Absolute. */
  readonly root: string;
  readonly systemdCgroup: boolean;
  readonly notes?: Notes;
  /** /proc/PID/cgroup of who asks, when that is not this process. */
  readonly callerCgroup?: string;
}

/** `create`. Paths are absolute. */
export interface CreateRequest extends Globals {
  readonly id: string;
  readonly bundle: string;
  /** The bundle's configuration, where it has been read already. */
  readonly config?: Config;
  readonly pidFile?: string;
  readonly consoleSocket?: string;
  readonly preserveFds: number;
  /** How many of them the program is told of in LISTEN_FDS, sd_listen_fds(3). */
  readonly listenFds?: number;
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  /** The service manager's socket, sd_notify(3): `$NOTIFY_SOCKET` of who asks. */
  readonly notifySocket?: string;
  /** Instead of root.path itself, an overlay over it is the root. */
  readonly overlay?: Overlay;
}

/** `run`: create, start, and unless detached wait. */
export interface RunRequest extends CreateRequest {
  readonly detach: boolean;
  /** Leave the container's folder behind when it has ended. */
  readonly keep: boolean;
}

/** `exec`: one more process in a running container. */
export interface ExecRequest extends Globals {
  readonly id: string;
  /** process.json, or the container's own process with the flags applied to it. */
  readonly process: Process;
  readonly detach: boolean;
  readonly pidFile?: string;
  readonly consoleSocket?: string;
  readonly preserveFds: number;
  readonly listenFds?: number;
  readonly ignorePaused: boolean;
  /** Below the container's cgroup, by controller; the empty key stands for all. */
  readonly cgroup: Readonly<Record<string, string>>;
}
