import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const top = '/sys/fs/cgroup';

/**
 * Engines leave directories below /sys/fs/cgroup, with every runtime: the parents that they give their containers, and, where version 1
 * is mounted, ordinary directories beside the hierarchies for controllers that this host has not mounted. This takes them away.
 */
export class CgroupSweep {
  readonly #parent: string;
  readonly #before: readonly string[];

  /** @param parent the name of the cgroup that all containers of the engine are put into */
  constructor(parent: string) {
    this.#parent = parent;
    this.#before = folders(top);
  }

  /** The cgroups of containers that are still there. podman never removes the one of its monitors. */
  remains(): string[] {
    return this.#parents().flatMap(below).filter((folder) => path.basename(folder) !== 'conmon').sort();
  }

  async remove(): Promise<void> {
    const plain = controllers().map((name) => path.join(top, name)).filter((folder) => !this.#before.includes(folder) && isPlain(folder));
    for (const folder of [...this.#parents(), ...plain]) for (const inner of [...below(folder).toReversed(), folder]) await removeFolder(inner);
  }

  /** Below the top where version 2 is mounted there, else below each hierarchy. */
  #parents(): string[] {
    return [top, ...folders(top)].map((hierarchy) => path.join(hierarchy, this.#parent)).filter((folder) => fs.existsSync(folder));
  }
}

/** All folders in a folder, each before those in it. */
function below(folder: string): string[] {
  return folders(folder).flatMap((inner) => [inner, ...below(inner)]);
}

function folders(folder: string): string[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => path.join(folder, name));
  } catch {
    // It went while it was looked at.
    return [];
  }
}

/** The names of all controllers that the kernel has, mounted or not. */
function controllers(): string[] {
  return fs.readFileSync('/proc/cgroups', 'utf8').split('\n').slice(1).map((line) => line.split('\t')[0] ?? '').filter((name) => name !== '');
}

/** Whether a folder is no hierarchy: it belongs to the tmpfs in which the hierarchies are mounted. */
function isPlain(folder: string): boolean {
  return fs.statSync(folder, { throwIfNoEntry: false })?.dev === fs.statSync(top).dev;
}

/** A cgroup is busy until the last of its processes has been reaped. */
async function removeFolder(folder: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return fs.rmdirSync(folder);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || tries === 50) throw error;
      await sleep(20);
    }
  }
}
