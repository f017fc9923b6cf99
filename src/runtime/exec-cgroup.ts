import fs from 'node:fs';
import path from 'node:path';
import { asSeenBy } from '../cgroup/hierarchy.ts';
import type { CgroupDirectory } from '../cgroup/path.ts';
import { DelosError } from '../lib/errors.ts';
import { hostFacts } from '../oci/probe.ts';
import type { ContainerRecord } from './record.ts';
import type { ExecRequest } from './requests.ts';

/**
 * Where one more process of a container goes in a hierarchy: into the container's cgroup as it was recorded, or into the one below it
 * that --cgroup names.
 * @param pid of the container's init
 * @throws DelosError bad-usage for a --cgroup that leads out of it
 */
export function cgroupForExec(directory: CgroupDirectory, record: ContainerRecord, pid: number, asked: ExecRequest['cgroup']): CgroupDirectory {
  const keys = directory.hierarchy.version === 2 ? [''] : directory.hierarchy.controllers;
  const recorded = keys.map((key) => record.cgroup[key]).find((found) => found !== undefined) ?? directory.directory;
  const sub = keys.map((key) => asked[key]).find((found) => found !== undefined) ?? asked[''];
  if (sub === undefined) return { ...directory, directory: takesProcesses(recorded) ? recorded : withInit(directory, recorded, pid), create: [] };
  const target = path.join(recorded, sub);
  if (!isWithin(recorded, target)) throw new DelosError('bad-usage', `--cgroup: ${sub} is not below the container's cgroup`);
  return { ...directory, directory: target, create: [] };
}

/** A cgroup of v2 that has given controllers to those below it takes no processes itself, cgroups(7) "no internal processes". */
function takesProcesses(directory: string): boolean {
  try {
    return fs.readFileSync(`${directory}/cgroup.subtree_control`, 'utf8').trim() === '';
  } catch {
    return true;
  }
}

/** A container that has made cgroups of its own has moved its init into one of them. */
function withInit({ hierarchy }: CgroupDirectory, recorded: string, pid: number): string {
  const seen = asSeenBy(hostFacts().cgroup, fs.readFileSync(`/proc/${pid}/cgroup`, 'utf8')).hierarchies;
  const own = seen.find(({ mountPoint }) => mountPoint === hierarchy.mountPoint)?.own ?? '';
  const found = path.join(hierarchy.mountPoint, own);
  return isWithin(recorded, found) ? found : recorded;
}

function isWithin(directory: string, found: string): boolean {
  return found === directory || found.startsWith(`${directory}/`);
}
