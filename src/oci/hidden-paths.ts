import { AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, O_CLOEXEC } from '../abi/fcntl.ts';
import { MOUNT_ATTR_RDONLY, OPEN_TREE_CLONE } from '../abi/mount.ts';
import { call, jump, type Item } from '../plan/step.ts';
import { label, type Build, type Field } from './field.ts';
import { attach, setAttributes } from './mount/attach.ts';
import { newMount } from './mount/filesystem.ts';
import { openDirectory, openInRoot } from './open.ts';

/**
 * linux.maskedPaths: a directory is covered by an empty read-only tmpfs, a file by /dev/null. Missing ones are skipped. It happens
 * while the host is still in sight, so that it is the host's /dev/null and not one an image put there (CVE-2025-31133).
 */
export const maskedPaths: Field = {
  at: ['/linux/maskedPaths'],
  support: 'full',
  init: (build) => (build.config.linux?.maskedPaths ?? []).flatMap((path, index) => mask(build, path, `/linux/maskedPaths/${index}`)),
};

/** linux.readonlyPaths: each bound on itself, read-only. Missing ones are skipped. */
export const readonlyPaths: Field = {
  at: ['/linux/readonlyPaths'],
  support: 'full',
  init: (build) => (build.config.linux?.readonlyPaths ?? []).flatMap((path, index) => readOnly(build, path, `/linux/readonlyPaths/${index}`)),
};

function mask(build: Build, path: string, why: string): Item[] {
  const { cells } = build;
  const file = label(`${path} is a file`);
  const cover = label(`${path} is covered`);
  const done = label(`${path} is masked`);
  const skip = { ENOENT: done, EACCES: done };
  return [
    openDirectory(build, path, why, cells.target, { ...skip, ENOTDIR: file }),
    ...newMount(build, { type: 'tmpfs', source: 'tmpfs', data: ['ro'], attributes: MOUNT_ATTR_RDONLY }, cells.mount, why),
    jump(cover, why),
    file,
    openInRoot(build, path, cells.target, why, { ...skip, ENOTDIR: done }),
    call('open_tree', [AT_FDCWD, '/dev/null', OPEN_TREE_CLONE | O_CLOEXEC], why, { out: cells.mount }),
    cover,
    ...attach(build, cells.mount, why),
    call('close', [cells.mount], why),
    done,
  ];
}

function readOnly(build: Build, path: string, why: string): Item[] {
  const { cells } = build;
  const done = label(`${path} is read-only`);
  return [
    openInRoot(build, path, cells.target, why, { ENOENT: done, ENOTDIR: done }),
    call('open_tree', [cells.target, '', OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE], why, { out: cells.mount }),
    setAttributes(cells.mount, { set: MOUNT_ATTR_RDONLY, clear: 0 }, why, AT_RECURSIVE),
    ...attach(build, cells.mount, why),
    call('close', [cells.mount], why),
    done,
  ];
}
