import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY, O_WRONLY } from '../abi/fcntl.ts';
import { RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS } from '../abi/mount.ts';
import { flagNames } from '../abi/names.ts';
import { open_how } from '../abi/structs.ts';
import { record, type Block, type Cell } from '../plan/block.ts';
import { call, jump, type Accept, type Item, type Step } from '../plan/step.ts';
import { label, type Build } from './field.ts';

/** openat2(2)'s `how`, spelled out. */
export function how(flags: number, resolve: number): Block {
  return record(
    open_how,
    { flags: flags | O_CLOEXEC, resolve },
    { flags: (value) => flagNames('O_', value), resolve: (value) => flagNames('RESOLVE_', value) },
  );
}

/** Resolves a path as the container would, so that no symlink of an image leads out of its root. */
const inRoot = how(O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
const inRootDirectory = how(O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
const inRootNoLinks = how(O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);

/** Opens a path of the container (O_PATH) below its root. */
export function openInRoot(build: Build, path: string, out: Cell, why: string, accept: Accept = {}): Step {
  return call('openat2', [build.cells.root, relative(path), inRoot, open_how.size], why, { out, accept });
}

/**
 * The place of a mount: opened below the root into `cells.target`, with what is missing made as directories and, for `file`, an
 * empty file at the end.
 * @param follow false refuses symlinks on the way (ELOOP), for /proc and /sys, whose place an image must not choose
 */
export function openTarget(build: Build, path: string, kind: 'directory' | 'file', why: string, follow = true): Item[] {
  const { cells } = build;
  const missing = label(`${path} is missing`);
  const found = label(`${path} is there`);
  const below = relative(path);
  const open = (accept: Accept = {}): Step =>
    call('openat2', [cells.root, below, follow ? inRoot : inRootNoLinks, open_how.size], why, { out: cells.target, accept });
  return [open({ ENOENT: missing }), jump(found, why), missing, ...makePath(build, path, kind, why), open(), found];
}

/** mkdir -p below the root, and an empty file at the end for `file`. */
export function makePath(build: Build, path: string, kind: 'directory' | 'file', why: string): Item[] {
  const { cells } = build;
  const names = relative(path).split('/');
  return names.flatMap((name, depth): Item[] => {
    if (name === '.') return [];
    const folder = names.slice(0, depth).join('/') || '.';
    const make =
      kind === 'file' && depth === names.length - 1
        ? [
            call('openat', [cells.directory, name, O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0o644], why, { out: cells.file }),
            call('close', [cells.file], why),
          ]
        : [call('mkdirat', [cells.directory, name, 0o755], why, { accept: { EEXIST: 'next' } })];
    return [openDirectory(build, folder, why), ...make, call('close', [cells.directory], why)];
  });
}

/** Opens a directory of the container, by default into `cells.directory`; ENOTDIR when it is something else. */
export function openDirectory(build: Build, path: string, why: string, out = build.cells.directory, accept: Accept = {}): Step {
  return call('openat2', [build.cells.root, relative(path), inRootDirectory, open_how.size], why, { out, accept });
}

/** Writes a short text to an existing file, in one write(2). The file is never made. */
export function writeFile(build: Build, folder: Cell | number, path: string, text: string, why: string, accept: Accept = {}): Step[] {
  const { file } = build.cells;
  return [
    call('openat', [folder, path, O_WRONLY | O_CLOEXEC, 0], why, { out: file, accept }),
    call('write', [file, text, Buffer.byteLength(text)], why, { want: Buffer.byteLength(text) }),
    call('close', [file], why),
  ];
}

/** Opens a path of the runtime's own view. */
export function openHost(path: string, flags: number, out: Cell, why: string): Step {
  return call('openat', [AT_FDCWD, path, flags | O_RDONLY | O_CLOEXEC, 0], why, { out });
}

/** A path without `..`, double slashes and the leading one; `.` for the root. `..` cannot climb above it. */
export function relative(path: string): string {
  // Most are as they should be.
  if (/^\/[^./]/.test(path) && !/\/[./]|\/$/.test(path)) return path.slice(1);
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return names.join('/') || '.';
}
