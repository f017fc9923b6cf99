import fs from 'node:fs';
import { errnoOf } from '../cgroup/control-file.ts';
import type { ContainerRecord } from './record.ts';
import { conditionOf, type Condition, type Status } from './status.ts';

/** The state of runtime.md "State", as hooks get it on stdin. */
export interface OciState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: Status;
  /** Absent when there is no process. */
  readonly pid?: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What `state` prints and `list` lists, in runc's names and order. */
export interface ContainerState {
  readonly ociVersion: string;
  readonly id: string;
  /** 0 when there is no process. */
  readonly pid: number;
  readonly status: Status;
  readonly bundle: string;
  readonly rootfs: string;
  /** RFC 3339, UTC. */
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Name of the user who made it, or `#uid` for one without. */
  readonly owner: string;
}

/** A container's state for hooks, of which some are told what it is about to be. */
export function ociState(record: ContainerRecord, { status, init }: Condition): OciState {
  const { ociVersion, id, bundle } = record;
  return { ociVersion, id, status, ...(init && { pid: init.pid }), bundle, ...annotationsOf(record) };
}

/** A container's state now, for people and for engines. */
export function containerState(root: string, record: ContainerRecord): ContainerState {
  const { status, init } = conditionOf(root, record);
  const { ociVersion, id, bundle, rootfs, created } = record;
  return { ociVersion, id, pid: init?.pid ?? 0, status, bundle, rootfs, created, ...annotationsOf(record), owner: userName(record.owner) };
}

function annotationsOf({ config: { annotations } }: ContainerRecord): Pick<OciState, 'annotations'> {
  return annotations && Object.keys(annotations).length > 0 ? { annotations } : {};
}

/** passwd(5). Users of other databases go by their number, as does everyone where there is no such file. */
function userName(uid: number): string {
  let passwd = '';
  try {
    passwd = fs.readFileSync('/etc/passwd', 'utf8');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
  return passwd.split('\n').find((line) => line.split(':')[2] === String(uid))?.split(':')[0] ?? `#${uid}`;
}
