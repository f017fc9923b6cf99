import fs from 'node:fs';
import os from 'node:os';
import type { CgroupFacts, HostFacts } from '../everyday/facts.ts';
import { hierarchyOfController, type CgroupHost } from '../cgroup/hierarchy.ts';
import { hostFacts } from '../oci/probe.ts';

/** Under this cgroup the containers' own are made. */
const PARENT = '/delos';

let known: Omit<HostFacts, 'cwd' | 'volumeRoot'> | undefined;

/** What a configuration depends on, read once a process; the library needs nothing looked up. Volumes are elsewhere for each container. */
export function libraryHost(): Omit<HostFacts, 'volumeRoot'> {
  known ??= readHost();
  return { ...known, cwd: process.cwd() };
}

function readHost(): Omit<HostFacts, 'cwd' | 'volumeRoot'> {
  const { kernel, uid, gid, lastCapability, apparmor, selinux, cgroup } = hostFacts();
  return {
    kernel, uid, gid, lastCapability, apparmor, selinux,
    subuids: [], subgids: [],
    cgroup: cgroupFacts(cgroup, uid),
    cpus: os.availableParallelism(),
    hostname: os.hostname(),
    environment: {},
    etcFiles: {}, files: {}, devices: {}, containers: {},
  };
}

/** An ordinary user has no cgroup to make others in, unless one was delegated, which the library does not look for. */
function cgroupFacts(host: CgroupHost, uid: number): CgroupFacts {
  const memory = hierarchyOfController(host, 'memory', 'memory');
  const version = memory?.version ?? host.hierarchies[0]?.version ?? 2;
  if (uid !== 0) return { version, parent: '', controllers: [], swap: false };
  const controllers = host.hierarchies.flatMap((hierarchy) => hierarchy.controllers);
  const swap = memory !== undefined && (version === 2 || fs.existsSync(`${memory.mountPoint}/memory.memsw.limit_in_bytes`));
  return { version, parent: PARENT, controllers, swap };
}
