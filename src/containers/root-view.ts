import fs from 'node:fs';
import path from 'node:path';
import { CLONE_FS, CLONE_NEWNS } from '../abi/clone.ts';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH, O_RDONLY } from '../abi/fcntl.ts';
import { FSCONFIG_CMD_CREATE, FSCONFIG_SET_STRING, FSMOUNT_CLOEXEC, FSOPEN_CLOEXEC, OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE } from '../abi/mount.ts';
import { DelosError } from '../lib/errors.ts';
import { readConfig } from '../runtime/prepare.ts';
import { syscall, SystemCallError } from '../sys/syscall.ts';
import type { Container } from './container.ts';
import { fileOf, type Places } from './places.ts';
import { standingOf } from './standing.ts';

/** The root folder of a container, open. */
export interface RootView extends Disposable {
  /** O_PATH. */
  readonly fd: number;
}

export interface ViewOptions {
  /** With the volumes and all else that is mounted in it while it runs; else its root file system alone. */
  readonly mounts: boolean;
}

/**
 * The root of a container as its processes see it, or would if it ran. Whatever is looked up below it has to be opened inside:
 * links in it count from there.
 * @throws DelosError unsupported where it cannot be had without its running
 */
export function openRootView(places: Places, container: Container, { mounts }: ViewOptions): RootView {
  const pid = livePid(places, container);
  try {
    if (pid !== 0) return viewOf(mounts ? openRunning(places, container, pid) : cloneRunning(places, container, pid));
    return viewOf(openStopped(places, container));
  } catch (cause) {
    if (!(cause instanceof SystemCallError)) throw cause;
    const hint = pid === 0 && process.geteuid?.() !== 0 ? ': as an ordinary user, start it first' : '';
    const message = `the root of container ${container.name} cannot be opened: ${cause.message}${hint}`;
    throw new DelosError('unsupported', message, { cause, call: cause.call, errno: cause.errno });
  }
}

function viewOf(fd: number): RootView {
  return { fd, [Symbol.dispose]: () => fs.closeSync(fd) };
}

function livePid(places: Places, container: Container): number {
  const { status, pid } = standingOf(places, container);
  return status === 'running' || status === 'paused' ? pid : 0;
}

function openFolder(folder: string): number {
  return syscall('openat', AT_FDCWD, folder, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

function openRunning(places: Places, container: Container, pid: number): number {
  const fd = openFolder(`/proc/${pid}/root`);
  if (livePid(places, container) === pid) return fd;
  // It has ended, and the number may be another process's.
  fs.closeSync(fd);
  return openStopped(places, container);
}

/**
 * A copy of the container's root mount, mounted nowhere and without what is mounted in it: it can be made only from within the
 * container's mount namespace, so this thread goes there and comes back.
 */
function cloneRunning(places: Places, container: Container, pid: number): number {
  const opened: number[] = [];
  const open = (file: string): number => {
    const fd = syscall('openat', AT_FDCWD, file, O_RDONLY | O_CLOEXEC, 0);
    opened.push(fd);
    return fd;
  };
  const cwd = process.cwd();
  try {
    const [ours, theirs] = [open('/proc/self/ns/mnt'), open(`/proc/${pid}/ns/mnt`)];
    if (livePid(places, container) !== pid) return openStopped(places, container);
    // Root and working folder are of all threads together, and would change for all.
    syscall('unshare', CLONE_FS);
    syscall('setns', theirs, CLONE_NEWNS);
    try {
      return syscall('open_tree', AT_FDCWD, '/', OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    } finally {
      syscall('setns', ours, CLONE_NEWNS);
      process.chdir(cwd);
    }
  } finally {
    for (const fd of opened) fs.closeSync(fd);
  }
}

function openStopped(places: Places, container: Container): number {
  const { root, id, name } = container;
  const config = readConfig(fileOf(places, id));
  if (root.kind === 'folder') return openFolder(path.resolve(fileOf(places, id), config.root?.path ?? 'rootfs'));
  if (root.kind === 'copy') return openFolder(fileOf(places, id, 'rootfs'));
  const [first = '/', ...others] = root.lowers;
  if (!root.kept) return others.length === 0 ? openFolder(first) : mountOverlay(root.lowers);
  // What is written there has the ids of its user namespace, what is below those of the host; only inside are they alike.
  if ((config.linux?.uidMappings ?? []).length > 0) {
    throw new DelosError('unsupported', `container ${name} has a user namespace of its own: its files can be reached only while it runs; start it first`);
  }
  return mountOverlay(root.lowers, fileOf(places, id, 'layer'));
}

/** What a container's root was before it wrote to it, by itself: nothing that is mounted in it. */
export function openBelow({ root, name }: Container): RootView {
  const { lowers } = root.kind === 'overlay' ? root : { lowers: [] };
  const [first, ...others] = lowers;
  if (first === undefined) throw new Error(`assertion: container ${name} has a root with layers`);
  return viewOf(others.length > 0 ? mountOverlay(lowers) : syscall('open_tree', AT_FDCWD, first, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

/**
 * An overlay mount that is mounted nowhere, and is gone with its descriptor.
 * @param lowers topmost first; at least two without `layer`
 * @param layer the folder with `upper` and `work`, for one that can be written to
 */
function mountOverlay(lowers: readonly string[], layer?: string): number {
  const opened = lowers.map(openFolder);
  const cwd = process.cwd();
  try {
    const file = syscall('fsopen', 'overlay', FSOPEN_CLOEXEC);
    opened.push(file);
    const set = (key: string, value: string): number => syscall('fsconfig', file, FSCONFIG_SET_STRING, key, value, 0);
    // A value has 255 bytes at most: descriptors are the shortest names there are.
    process.chdir('/proc/self/fd');
    set('source', 'delos');
    set('lowerdir', opened.slice(0, -1).join(':'));
    if (layer !== undefined) {
      const folders = ['upper', 'work'].map((folder) => openFolder(path.join(layer, folder)));
      opened.push(...folders);
      set('upperdir', String(folders[0]));
      set('workdir', String(folders[1]));
    }
    syscall('fsconfig', file, FSCONFIG_CMD_CREATE, 0, 0, 0);
    return syscall('fsmount', file, FSMOUNT_CLOEXEC, 0);
  } finally {
    process.chdir(cwd);
    for (const fd of opened) fs.closeSync(fd);
  }
}
