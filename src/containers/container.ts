import type { Digest } from '../registry/digest.ts';
import type { NetworkWish } from './network-wish.ts';
import type { Health, HealthPlan } from './health.ts';
import type { RestartPolicy, Supervisor } from './restart.ts';

/** What docker knows of a container and OCI does not. Kept as container.json in the container's folder; it changes only as a whole. */
export interface Container {
  readonly version: 1;
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** As it was given: `host`, an absolute folder, or the name of an image in the store. */
  readonly image: string;
  /** The manifest of an image from the store, which is held for the container. */
  readonly manifest?: Digest;
  /** Program and arguments of its first process. */
  readonly command: readonly string[];
  /** RFC 3339, UTC. */
  readonly created: string;
  /** Where the root comes from. */
  readonly root: RootSource;
  /** The networks with a bridge that it is connected to whenever it runs. */
  readonly networks: readonly NetworkWish[];
  readonly labels: Readonly<Record<string, string>>;
  readonly autoRemove: boolean;
  readonly tty: boolean;
  /** Standard input stays open even if nobody is attached. */
  readonly openStdin: boolean;
  readonly stopSignal: number;
  /** -1 waits for ever. */
  readonly stopTimeoutSeconds: number;
  /** Names of the volumes that go with the container. */
  readonly anonymousVolumes: readonly string[];
  /** The flags it was made with, by name; what `inspect` prints as HostConfig is made of them. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** How often it has been started. */
  readonly starts: number;
  /** Of its last start; absent before the first. */
  readonly startedAt?: string;
  /** It was started with its starter's own standard output, so there is no log and nothing to attach to. */
  readonly direct?: boolean;
  /** Absent: it is not started again when it ends. */
  readonly restart?: RestartPolicy;
  /** It is not started again until somebody does so by hand. */
  readonly stoppedByHand?: boolean;
  /** How often it was started again since it was started by hand, and how long that waited the last time. */
  readonly restarts?: number;
  readonly backoffMs?: number;
  /** Why it could not be started again; absent since its last start. */
  readonly startError?: string;
  /** Of its last start. */
  readonly supervisor?: Supervisor;
  readonly health?: HealthPlan;
}

/** An overlay over folders that stay as they are, a copy of such a folder, or a folder itself. */
export type RootSource =
  | { readonly kind: 'overlay'; /** Absolute, the uppermost first. */ readonly lowers: readonly string[]; /** What is written stays for the next start. */ readonly kept: boolean }
  | { readonly kind: 'copy'; /** What it is a copy of: one, or none for an empty root. */ readonly lowers: readonly string[] }
  | { readonly kind: 'folder' };

/** A container and what becomes of it now. */
export interface Standing {
  readonly status: 'created' | 'running' | 'paused' | 'restarting' | 'stopped';
  /** Its first process; 0 when there is none. */
  readonly pid: number;
  readonly startedAtMs: number;
  /** 0 until it has ended. */
  readonly exitCode: number;
  readonly finishedAtMs: number;
  readonly oomKilled: boolean;
  /** Of one that runs and is looked after. */
  readonly health?: Health;
}
