import fs from 'node:fs';
import type { ContainerRecord } from './record.ts';
import { conditionOf, type Status } from './status.ts';

/** What `state` and `list --format json` print of a container, in runc's names and order. */
export interface ListedState {
  readonly ociVersion: string;
  readonly id: string;
  /** 0 when stopped. */
  readonly pid: number;
  readonly status: Status;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** A user's name, or `#uid`. */
  readonly owner: string;
}

export function listedState(root: string, record: ContainerRecord): ListedState {
  const { status, init } = conditionOf(root, record);
  const { ociVersion, id, bundle, rootfs, created, config } = record;
  return {
    ociVersion, id, pid: init?.pid ?? 0, status, bundle, rootfs, created,
    ...(config.annotations !== undefined && { annotations: config.annotations }),
    owner: userName(record.owner),
  };
}

/** passwd(5). Users of other databases go by their number. */
function userName(uid: number): string {
  let passwd = '';
  try {
    passwd = fs.readFileSync('/etc/passwd', 'utf8');
  } catch {
    return `#${uid}`;
  }
  const line = passwd.split('\n').find((entry) => entry.split(':')[2] === String(uid));
  return line?.split(':')[0] ?? `#${uid}`;
}
