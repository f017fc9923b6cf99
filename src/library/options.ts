import type { Readable, Writable } from 'node:stream';
import type { SeccompProfile } from '../seccomp/profile.ts';

/** What a container is made of. Only `image` and `command` are needed; what is not said is shut: no network, no privilege gained. */
export interface ContainerOptions {
  /**
   * `host`: this machine's root file system, copy-on-write, thrown away at the end. A folder: a root file system as it is, written to
   * unless `readonly`. A folder with a config.json: an OCI bundle.
   */
  readonly image: string;
  /** The program and its arguments; no shell in between. A bundle brings its own. */
  readonly command?: readonly string[];
  /** Beside PATH, HOME and HOSTNAME; nothing of this process's own environment goes in. */
  readonly env?: Readonly<Record<string, string>>;
  /** Absolute. Default: `/`. */
  readonly cwd?: string;
  /** `name`, `uid`, `name:group`, `uid:gid`. Default: root of the container. */
  readonly user?: string;
  /** Bytes, or a text such as `512m`. */
  readonly memory?: number | string;
  /** How many processors' worth of time: 0.01 to as many as there are. */
  readonly cpus?: number;
  /** How many processes and threads; -1 for no limit. */
  readonly pids?: number;
  /** The root file system cannot be written to. */
  readonly readonly?: boolean;
  readonly mounts?: readonly (BindMount | VolumeMount)[];
  /** Paths inside that get an empty file system in memory; options after a colon: `/tmp:size=64m`. */
  readonly tmpfs?: readonly string[];
  /**
   * `none`, the default, is a loopback interface of its own; `host` is this machine's network. Another name is that of a network with a bridge,
   * which takes root: `bridge`, or one that `networks.create()` has made.
   */
  readonly network?: string;
  /**
   * Ports of this machine that lead to one of the container in a network with a bridge: `8080:80`, `127.0.0.1:8080:80/udp`, `8000-8010:80-90`.
   * Without one of this machine any that is free is taken: `inspect()` says which.
   */
  readonly publish?: readonly string[];
  /** Its addresses in that network, and of its device there. Default: the next that are free. */
  readonly ip?: string;
  readonly ip6?: string;
  readonly macAddress?: string;
  /** What other containers of that network call it, besides its hostname and the first 12 letters of its id. */
  readonly networkAliases?: readonly string[];
  /** Addresses by name for /etc/hosts; `host-gateway` is this machine. */
  readonly addHosts?: Readonly<Record<string, string>>;
  /** For /etc/resolv.conf: addresses of servers, domains, options. Default: the network's own server, else those of this machine. */
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  readonly hostname?: string;
  /** Capabilities beside the default ones, `NET_ADMIN` or `CAP_NET_ADMIN`, and those to take away; `ALL` is all. */
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  /** System calls that are let through: our profile, all, or a profile in the form of config.json, which must not change afterwards. */
  readonly seccomp?: 'default' | 'unconfined' | SeccompProfile;
  /** Letters, digits and `_+-.`. Default: 64 random hexadecimal digits. */
  readonly id?: string;
  /** Where the state of containers is kept. Default: /run/delos, `$XDG_RUNTIME_DIR/delos` for an ordinary user. */
  readonly root?: string;
  /** Where networks and volumes are kept, with images. Default: where the command keeps them, /var/lib/delos or `~/.local/share/delos`. */
  readonly store?: string;
}

export interface BindMount {
  /** On this machine; a relative path counts from the working directory. */
  readonly source: string;
  /** Absolute, inside the container. */
  readonly target: string;
  readonly readonly?: boolean;
}

export interface VolumeMount {
  /** The name of a volume, which is made if it is not there. */
  readonly volume: string;
  /** Absolute, inside the container. */
  readonly target: string;
  readonly readonly?: boolean;
}

/** What a process inside is given, and when it has had enough. */
export interface ProcessOptions {
  /** Bytes and texts are written and closed. Default: `ignore`, an empty input. */
  readonly stdin?: 'ignore' | 'inherit' | string | Uint8Array | Readable;
  /** `pipe`, the default, collects it in the result. A stream is written to and left open. */
  readonly stdout?: Output;
  readonly stderr?: Output;
  /** Killed after so many milliseconds; the result then says `timedOut`. */
  readonly timeoutMs?: number;
  /** Killed when what is collected of stdout and stderr together is longer; the result then says `truncated`. Default: 16 MiB. */
  readonly maxOutputBytes?: number;
}

export type Output = 'pipe' | 'inherit' | 'ignore' | Writable;

export interface RunOptions extends ContainerOptions, ProcessOptions {}

/** One more process in a container. */
export interface ExecOptions extends ProcessOptions {
  readonly command: readonly string[];
  /** Beside the container's own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** By number. Default: as the container's program. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface SignalOptions {
  /** When it is aborted, the container is killed and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** How a program ended. */
export interface ExitResult {
  /** What it exited with, 0 to 255; 128+n when signal n ended it. */
  readonly exitCode: number;
  /** The signal that such a code stands for, as `SIGKILL`. A program that itself exits with 128+n cannot be told from one. */
  readonly signal?: string;
  /** The kernel killed a process of the container for want of memory. */
  readonly oomKilled: boolean;
}

export interface RunResult extends ExitResult {
  readonly timedOut: boolean;
  /** `maxOutputBytes` was reached. */
  readonly truncated: boolean;
  /** Empty unless it was a `pipe`. */
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** From the call to the end of the container, in milliseconds. */
  readonly durationMs: number;
}
