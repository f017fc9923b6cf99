import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Places } from '../../containers/places.ts';
import { volumesFolder } from '../../containers/places.ts';
import { standingOf } from '../../containers/standing.ts';
import { DelosError } from '../../lib/errors.ts';
import { hostFacts } from '../../oci/probe.ts';
import { buildFolder } from '../../sys/build-folder.ts';
import type { CgroupFacts, ContainerFact, DeviceFact, HostFacts, IdRange, Needs } from '../../everyday/facts.ts';
import { find } from './context.ts';

/** All that everydayConfig() has to know of this host. @throws DelosError io, not-found for what the flags name and is not there */
export function gatherHostFacts(places: Places, needs: Needs, etcFiles: Readonly<Record<string, string>>): HostFacts {
  const { kernel, uid, gid, lastCapability, apparmor, selinux, idMapTools } = hostFacts();
  const init = path.join(buildFolder(), 'init');
  const user = uid === 0 || idMapTools === undefined ? undefined : os.userInfo().username;
  return {
    kernel, uid, gid, lastCapability, apparmor, selinux,
    subuids: idRanges('/etc/subuid', user, uid), subgids: idRanges('/etc/subgid', user, uid),
    cgroup: cgroupFacts(), cpus: os.cpus().length, hostname: os.hostname(),
    environment: environmentOf(process.env), cwd: process.cwd(),
    ...(fs.existsSync(init) && { init }),
    volumeRoot: volumesFolder(places), etcFiles,
    ...(process.stdout.isTTY && { console: { height: process.stdout.rows, width: process.stdout.columns } }),
    files: Object.fromEntries(needs.files.map((file) => [file, readNeeded(file)])),
    devices: Object.fromEntries(needs.devices.flatMap(devicesAt)),
    containers: Object.fromEntries(needs.containers.map((word) => [word, containerFact(places, word)])),
  };
}

function environmentOf(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** subuid(5): `user:start:count`, the user by name or number. */
function idRanges(file: string, user: string | undefined, uid: number): IdRange[] {
  if (user === undefined || !fs.existsSync(file)) return [];
  return fs.readFileSync(file, 'utf8').split('\n').flatMap((line) => {
    const [, owner, start, count] = /^([^:]+):(\d+):(\d+)$/.exec(line) ?? [];
    return owner === user || owner === String(uid) ? [{ start: Number(start), count: Number(count) }] : [];
  });
}

/** Root makes cgroups where it likes; an ordinary user only beside its own, if that was delegated to it. */
function cgroupFacts(): CgroupFacts {
  const { cgroup, uid } = hostFacts();
  const usable = cgroup.hierarchies.filter(({ mountPoint, own, version }) => {
    if (uid === 0) return isWritable(mountPoint);
    return version === 2 && isWritable(path.join(mountPoint, path.dirname(own)));
  });
  const legacy = usable.filter(({ version }) => version === 1);
  const unified = usable.find(({ version }) => version === 2);
  const swapFile = legacy.find(({ controllers }) => controllers.includes('memory'));
  const parent = uid === 0 ? '/delos' : unified === undefined ? '' : path.join(path.dirname(unified.own), 'delos');
  if (legacy.length > 0) {
    return {
      version: 1, parent, controllers: legacy.flatMap(({ controllers }) => controllers),
      swap: swapFile !== undefined && fs.existsSync(path.join(swapFile.mountPoint, 'memory.memsw.limit_in_bytes')),
    };
  }
  return { version: 2, parent, controllers: unified?.controllers ?? [], swap: fs.existsSync('/proc/swaps') };
}

function isWritable(folder: string): boolean {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function readNeeded(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (cause) {
    throw new DelosError('io', `${file}: cannot be read: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`, { cause });
  }
}

/** The device at a path, or those below it. What is none is left out. */
function devicesAt(file: string): [string, DeviceFact][] {
  const found = fs.statSync(file, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (found.isDirectory()) {
    // Links would lead in circles; the devices they stand for are found at their own places.
    return fs.readdirSync(file, { withFileTypes: true }).filter((entry) => !entry.isSymbolicLink()).flatMap(({ name }) => devicesAt(path.join(file, name)));
  }
  if (!found.isCharacterDevice() && !found.isBlockDevice()) return [];
  return [[file, {
    type: found.isBlockDevice() ? 'b' : 'c', major: major(found.rdev), minor: minor(found.rdev), mode: found.mode & 0o7777, uid: found.uid, gid: found.gid,
  }]];
}

/** makedev(3): the device number of glibc, twelve and eight bits low, the rest above. */
function major(device: number): number {
  return Number((BigInt(device) >> 8n) & 0xfffn | (BigInt(device) >> 32n) & 0xfffff000n);
}

function minor(device: number): number {
  return Number(BigInt(device) & 0xffn | (BigInt(device) >> 12n) & 0xffffff00n);
}

function containerFact(places: Places, word: string): ContainerFact {
  const container = find(places, word);
  const { status, pid } = standingOf(places, container);
  if (status !== 'running' && status !== 'paused') throw new DelosError('wrong-state', `container ${container.name} is not running: its namespaces cannot be joined`);
  const shm = `/proc/${pid}/root/dev/shm`;
  return { pid, ...(fs.existsSync(shm) && { shm }) };
}
