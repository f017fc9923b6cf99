import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { storeRoot } from './delos.ts';
import { marker } from './marker.ts';

/** What a container can leave behind on the host. Each list is sorted. */
export interface Leaks {
  /** /proc/self/mountinfo of the host, all of it but what other test processes do in their own folders. */
  readonly mounts: readonly string[];
  /** Directories of any cgroup hierarchy with this process's marker in their path. */
  readonly cgroups: readonly string[];
  /** Folders of containers. */
  readonly folders: readonly string[];
  /**
   * `pid command` of processes that run with this process's marker in their environment or in their cgroup. A zombie counts, unless it
   * is process 1 that has yet to take note of it, which it does when it likes.
   */
  readonly processes: readonly string[];
  /** Targets of this process's own descriptors, without what Node opens and closes by itself. */
  readonly descriptors: readonly string[];
}

/** What is there now. Compare one from before with one from after; {@link assertNoLeaks} does. */
export function leaks(): Leaks {
  return { mounts: mounts(), cgroups: cgroups(), folders: folders(), processes: processes(), descriptors: descriptors() };
}

/** Fails when there is more or less than before. The kernel removes some things a moment after their last user; it is given `withinMs`. */
export async function assertNoLeaks(before: Leaks, withinMs = 2000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline && JSON.stringify(leaks()) !== JSON.stringify(before)) await sleep(20);
  assert.deepEqual(leaks(), before);
}

/** Folders in which engines and other test processes mount at any moment. */
const busyFolders = /^\/(?:var\/lib\/containers|run\/containers|run\/containerd|run\/netns|run\/user)(?:\/|$)/;

function mounts(): string[] {
  return fs.readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n').filter((line) => {
    const [, , , , point = ''] = line.split(' ');
    const isOthers = /delos-test-|^\/tmp\//.test(point) && !point.includes(marker);
    return !isOthers && !busyFolders.test(point);
  }).sort();
}

function cgroups(): string[] {
  return fs.existsSync('/sys/fs/cgroup') ? below('/sys/fs/cgroup').filter((folder) => folder.includes(marker)).sort() : [];
}

function below(folder: string): string[] {
  const inner = names(folder, true).map((name) => path.join(folder, name));
  return [...inner, ...inner.flatMap(below)];
}

function folders(): string[] {
  const own = names(storeRoot).map((name) => path.join(storeRoot, name));
  const shared = names('/run/delos').filter((name) => name.includes(marker)).map((name) => `/run/delos/${name}`);
  return [...own, ...shared].sort();
}

function processes(): string[] {
  return names('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && isOurs(name)).map((pid) => `${pid} ${text(`/proc/${pid}/comm`).trim()}`).sort();
}

function isOurs(pid: string): boolean {
  if (/^\d+ \([^]*\) Z 1 /.test(text(`/proc/${pid}/stat`))) return false;
  return text(`/proc/${pid}/environ`).includes(`DELOS_TEST=${marker}`) || text(`/proc/${pid}/cgroup`).includes(marker);
}

function descriptors(): string[] {
  return names('/proc/self/fd').map((fd) => link(`/proc/self/fd/${fd}`)).filter((target) => target !== '' && !/^(?:anon_inode|pipe|socket|\/proc)/.test(target)).sort();
}

function names(folder: string, foldersOnly = false): string[] {
  try {
    const entries = fs.readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => !foldersOnly || entry.isDirectory()).map(({ name }) => name);
  } catch {
    // It went while it was looked at.
    return [];
  }
}

function text(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function link(file: string): string {
  try {
    return fs.readlinkSync(file);
  } catch {
    return '';
  }
}
