import type { Healthcheck } from '../images/config.ts';
import type { Facts } from '../oci/facts.ts';
import { parseDevice, parseDeviceRate } from '../vocabulary/device-flag.ts';
import type { RunOptions } from './flags.ts';
import { seccompProfilePath } from './security.ts';

/** What an image says about the containers made of it; a rootfs folder says only `rootfs`. */
export interface ImageDefaults {
  /** Path of the root filesystem, as config.json's `root.path`. */
  readonly rootfs: string;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  /** `NAME=value` each. */
  readonly env?: readonly string[];
  readonly workingDir?: string;
  /** In the form of `--user`. */
  readonly user?: string;
  readonly stopSignal?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly healthcheck?: Healthcheck;
  /** In place of `/bin/sh -c`, for the health check. */
  readonly shell?: readonly string[];
  /** Contents of the image's /etc/passwd and /etc/group; empty where it has none. */
  readonly passwd: string;
  readonly group: string;
}

export interface DeviceFact {
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The cgroup the caller may make containers in. */
export interface CgroupFacts {
  readonly version: 1 | 2;
  /** Path under which containers' cgroups are made, such as `/delos`. */
  readonly parent: string;
  /** Controllers that can be used there, such as `memory`, `cpu`, `cpuset`, `pids`, `io` (v2) or `blkio` (v1). Empty: no cgroup can be made. */
  readonly controllers: readonly string[];
  /** Swap can be limited. */
  readonly swap: boolean;
}

/** What a configuration depends on besides the options and the image. Recorded, so that everydayConfig() learns nothing by itself. */
export interface HostFacts extends Pick<Facts, 'kernel' | 'uid' | 'gid' | 'lastCapability' | 'apparmor' | 'selinux'> {
  /** The caller's ranges of /etc/subuid and /etc/subgid; empty where newuidmap and newgidmap cannot be used. */
  readonly subuids: readonly IdRange[];
  readonly subgids: readonly IdRange[];
  readonly cgroup: CgroupFacts;
  readonly cpus: number;
  readonly hostname: string;
  /** The caller's environment and working directory. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Path of our static init on the host, for `--init`. */
  readonly init?: string;
  /** Directory of the named volumes; a volume is the directory `<name>/_data` in it. */
  readonly volumeRoot: string;
  /** Generated files to bind over the image's, by path inside: `/etc/hosts`, `/etc/hostname`, `/etc/resolv.conf`. */
  readonly etcFiles: Readonly<Record<string, string>>;
  /** Size of the terminal that `-t` copies. */
  readonly console?: { readonly height: number; readonly width: number };
  /** Answers to {@link Needs}. */
  readonly files: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, DeviceFact>>;
  readonly containers: Readonly<Record<string, ContainerFact>>;
}

export interface IdRange {
  readonly start: number;
  readonly count: number;
}

/** Another container, running, whose namespaces are joined. */
export interface ContainerFact {
  readonly pid: number;
  /** Host path of its /dev/shm, if it has one that can be bound. */
  readonly shm?: string;
}

/** What must be looked up before everydayConfig() can be asked, by the caller and in the form HostFacts takes it. */
export interface Needs {
  /** Files to read, by path as given: environment files and seccomp profiles. */
  readonly files: readonly string[];
  /** Devices to stat, symbolic links followed; a directory stands for all devices below it. */
  readonly devices: readonly string[];
  /** Names or id prefixes of containers to resolve. */
  readonly containers: readonly string[];
}

/** Throws `bad-usage`. */
export function everydayNeeds(options: RunOptions): Needs {
  const profile = seccompProfilePath(options['security-opt']);
  const rates = ['device-read-bps', 'device-write-bps', 'device-read-iops', 'device-write-iops', 'blkio-weight-device'] as const;
  return {
    files: [...options['env-file'], ...(profile === undefined ? [] : [profile])],
    devices: [
      ...(options.privileged ? ['/dev'] : []),
      ...options.device.map((text) => parseDevice(text).source),
      ...rates.flatMap((flag) => options[flag].map((text) => parseDeviceRate(flag, text, flag.endsWith('bps') ? 'bytes' : 'number').path)),
    ],
    containers: [options.network, options.pid, options.ipc].flatMap((mode) => mode?.startsWith('container:') === true ? [mode.slice('container:'.length)] : []),
  };
}
