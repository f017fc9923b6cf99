/**
 * config.json of the OCI runtime specification 1.3: its common part (config.md) and the whole of its Linux part (config-linux.md).
 *
 * Property names are the specification's. What it leaves out is left out here too: no property ever holds null or undefined.
 * Properties for other platforms (windows, solaris, zos, freebsd, vm) are kept in the parsed object but have no type.
 */

import type { Integer, LinuxResources } from '../../cgroup/linux-resources.ts';
import type { SeccompProfile } from '../../seccomp/profile.ts';

/** A number up to 2^53 - 1 in magnitude, a bigint beyond it: never a rounded value. `BigInt(value)` and comparisons work for both. */
export type { Integer };

/** config-linux.md "Seccomp", told by the folder that compiles it. */
export type {
  SeccompArgument as SeccompArg, SeccompEntry as SeccompSyscall, SeccompProfile as Seccomp,
} from '../../seccomp/profile.ts';

/** Limits of the container's cgroup, config-linux.md "Control groups", told by the folder that applies them. */
export type {
  BlockIoLimits as BlockIoResources, CpuLimits as CpuResources, DeviceRule, LinuxResources as Resources,
  MemoryLimits as MemoryResources, NetworkMarks as NetworkResources, RdmaLimit, ThrottleDevice, WeightDevice,
} from '../../cgroup/linux-resources.ts';

export interface Config {
  /** Version of the specification this configuration follows, a semantic version with major 1. */
  readonly ociVersion: string;
  readonly root?: Root;
  readonly mounts?: readonly Mount[];
  readonly process?: Process;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly hooks?: Hooks;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux?: Linux;
}

export interface Root {
  /** Absolute, or relative to the bundle. */
  readonly path: string;
  readonly readonly?: boolean;
}

export interface Mount {
  /** Path inside the container. Absolute by the specification; a relative one is taken from `/`, as runc does. */
  readonly destination: string;
  readonly source?: string;
  readonly type?: string;
  readonly options?: readonly string[];
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
}

/** `size` ids beginning at `containerID` inside stand for those beginning at `hostID` outside; each 0 to 2^32 - 1. */
export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface Hook {
  /** Absolute path of the program. */
  readonly path: string;
  /** argv, argv[0] included. */
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds, greater than zero. */
  readonly timeout?: number;
}

export interface Hooks {
  readonly prestart?: readonly Hook[];
  readonly createRuntime?: readonly Hook[];
  readonly createContainer?: readonly Hook[];
  readonly startContainer?: readonly Hook[];
  readonly poststart?: readonly Hook[];
  readonly poststop?: readonly Hook[];
}

export interface Process {
  readonly terminal?: boolean;
  readonly consoleSize?: ConsoleSize;
  /** Absent means uid 0, gid 0, as runc takes it. */
  readonly user?: User;
  /** At least one string. */
  readonly args?: readonly string[];
  /** For Windows; carried, never used. */
  readonly commandLine?: string;
  /** `NAME=value` each. */
  readonly env?: readonly string[];
  /** Absolute path inside the container. */
  readonly cwd: string;
  readonly capabilities?: Capabilities;
  readonly rlimits?: readonly Rlimit[];
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  /** -1000 to 1000. */
  readonly oomScoreAdj?: number;
  readonly selinuxLabel?: string;
  readonly scheduler?: Scheduler;
  readonly ioPriority?: IoPriority;
  readonly execCPUAffinity?: ExecCpuAffinity;
}

/** Characters; each 0 to 65535, what struct winsize holds. */
export interface ConsoleSize {
  readonly height: number;
  readonly width: number;
}

export interface User {
  /** 0 to 2^32 - 1; absent means 0. */
  readonly uid?: number;
  readonly gid?: number;
  /** 0 to 0o777. Absent leaves the umask alone (runc: 0o022). */
  readonly umask?: number;
  readonly additionalGids?: readonly number[];
  /** For Windows; carried, never used. */
  readonly username?: string;
}

export type CapabilitySet = 'bounding' | 'effective' | 'inheritable' | 'permitted' | 'ambient';

/** Names as in capabilities(7), `CAP_` included. Names this project does not know stay in the list and are warned of. */
export type Capabilities = { readonly [set in CapabilitySet]?: readonly string[] };

export interface Rlimit {
  /** `RLIMIT_NOFILE` and so on, as in getrlimit(2). */
  readonly type: string;
  /** 0 to 2^64 - 1, which is RLIM_INFINITY. */
  readonly soft: Integer;
  readonly hard: Integer;
}

export type SchedulerPolicy =
  | 'SCHED_OTHER' | 'SCHED_FIFO' | 'SCHED_RR' | 'SCHED_BATCH' | 'SCHED_ISO' | 'SCHED_IDLE' | 'SCHED_DEADLINE';

export type SchedulerFlag =
  | 'SCHED_FLAG_RESET_ON_FORK' | 'SCHED_FLAG_RECLAIM' | 'SCHED_FLAG_DL_OVERRUN' | 'SCHED_FLAG_KEEP_POLICY'
  | 'SCHED_FLAG_KEEP_PARAMS' | 'SCHED_FLAG_UTIL_CLAMP_MIN' | 'SCHED_FLAG_UTIL_CLAMP_MAX';

/** sched_setattr(2). */
export interface Scheduler {
  readonly policy: SchedulerPolicy;
  /** -20 to 19; for SCHED_OTHER and SCHED_BATCH. */
  readonly nice?: number;
  /** 0 to 99; for SCHED_FIFO and SCHED_RR. */
  readonly priority?: number;
  readonly flags?: readonly SchedulerFlag[];
  /** Nanoseconds; these three for SCHED_DEADLINE. */
  readonly runtime?: Integer;
  readonly deadline?: Integer;
  readonly period?: Integer;
}

export type IoPriorityClass = 'IOPRIO_CLASS_RT' | 'IOPRIO_CLASS_BE' | 'IOPRIO_CLASS_IDLE';

/** ioprio_set(2). */
export interface IoPriority {
  readonly class: IoPriorityClass;
  /** 0 (highest) to 7; absent means 0. */
  readonly priority?: number;
}

/** CPU lists such as `0-3,7`, for processes that join by exec: while joining the cgroup, and from then on. */
export interface ExecCpuAffinity {
  readonly initial?: string;
  readonly final?: string;
}

export interface Linux {
  readonly namespaces?: readonly Namespace[];
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  readonly timeOffsets?: TimeOffsets;
  readonly devices?: readonly Device[];
  /** Network devices of the runtime's namespace to move into the container's, by their name outside. */
  readonly netDevices?: Readonly<Record<string, NetDevice>>;
  readonly cgroupsPath?: string;
  readonly resources?: LinuxResources;
  readonly rootfsPropagation?: RootfsPropagation;
  readonly seccomp?: SeccompProfile;
  readonly sysctl?: Readonly<Record<string, string>>;
  /** Absolute paths inside the container. */
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly mountLabel?: string;
  readonly intelRdt?: IntelRdt;
  readonly memoryPolicy?: MemoryPolicy;
  readonly personality?: Personality;
}

export type NamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time';

export interface Namespace {
  readonly type: NamespaceType;
  /** Absolute path of the namespace file to join; absent means a new namespace. Never the empty string. */
  readonly path?: string;
}

export interface TimeOffsets {
  readonly monotonic?: TimeOffset;
  readonly boottime?: TimeOffset;
}

export interface TimeOffset {
  readonly secs?: Integer;
  /** 0 to 999999999. */
  readonly nanosecs?: number;
}

export type DeviceType = 'c' | 'b' | 'u' | 'p';

export interface Device {
  /** Character, block, unbuffered character, fifo. */
  readonly type: DeviceType;
  /** Absolute path inside the container. */
  readonly path: string;
  /** Both present unless the type is `p`. */
  readonly major?: number;
  readonly minor?: number;
  /** The low 12 bits are the permissions; writers that keep S_IFMT in it are forgiven, as runc does. */
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface NetDevice {
  /** Its name inside the container; absent keeps the name. */
  readonly name?: string;
}

export type RootfsPropagation =
  | 'shared' | 'slave' | 'private' | 'unbindable' | 'rshared' | 'rslave' | 'rprivate' | 'runbindable';

export interface IntelRdt {
  readonly closID?: string;
  readonly schemata?: readonly string[];
  readonly l3CacheSchema?: string;
  readonly memBwSchema?: string;
  readonly enableMonitoring?: boolean;
}

export type MemoryPolicyMode =
  | 'MPOL_DEFAULT' | 'MPOL_BIND' | 'MPOL_INTERLEAVE' | 'MPOL_WEIGHTED_INTERLEAVE' | 'MPOL_PREFERRED'
  | 'MPOL_PREFERRED_MANY' | 'MPOL_LOCAL';

export type MemoryPolicyFlag = 'MPOL_F_NUMA_BALANCING' | 'MPOL_F_RELATIVE_NODES' | 'MPOL_F_STATIC_NODES';

/** set_mempolicy(2). */
export interface MemoryPolicy {
  readonly mode: MemoryPolicyMode;
  /** A node list such as `0-3,7`. */
  readonly nodes?: string;
  readonly flags?: readonly MemoryPolicyFlag[];
}

/** personality(2). */
export interface Personality {
  readonly domain: 'LINUX' | 'LINUX32';
  /** The specification defines none yet, so this is empty where it is present. */
  readonly flags?: readonly string[];
}
