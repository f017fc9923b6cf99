import fs from 'node:fs';
import path from 'node:path';
import type { Mount } from '../../oci/config/types.ts';

/**
 * In a user namespace the kernel does not let an overlay lie over `/`: it would show what the mounts in it hide. So each folder of
 * the root gets an overlay of its own, and those that contain mounts, or the very layers, are bound read-only.
 */
export interface HostRoot {
  /** Symbolic links of the host's root, such as /bin. */
  readonly links: readonly (readonly [name: string, target: string])[];
  readonly mounts: readonly Mount[];
  /** Folders that must be there for the overlays. */
  readonly folders: readonly string[];
}

/** They are the container's own, or nobody's business. */
const ownFolders: ReadonlySet<string> = new Set(['dev', 'proc', 'sys', 'run', 'tmp', 'lost+found']);

/**
 * What a container of the image `host` finds in place of an overlay over `/`.
 * @param layers folder in which the overlays keep what is written
 */
export function hostRoot(layers: string): HostRoot {
  const entries = fs.readdirSync('/', { withFileTypes: true });
  const links = entries.filter((entry) => entry.isSymbolicLink()).map(({ name }) => [name, fs.readlinkSync(`/${name}`)] as const);
  const names = entries.filter((entry) => entry.isDirectory() && !ownFolders.has(entry.name) && isReadable(`/${entry.name}`)).map(({ name }) => name);
  const mountPoints = readMountPoints();
  const isWhole = (folder: string): boolean =>
    !mountPoints.some((mounted) => mounted.startsWith(`${folder}/`)) && !layers.startsWith(`${folder}/`);
  const whole = names.filter((name) => isWhole(`/${name}`));
  return {
    links,
    mounts: [
      ...names.map((name) => (whole.includes(name) ? overlayMount(name, path.join(layers, name)) : boundMount(name))),
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777'] },
    ],
    folders: whole.flatMap((name) => [path.join(layers, name, 'upper'), path.join(layers, name, 'work')]),
  };
}

function overlayMount(name: string, layer: string): Mount {
  return {
    destination: `/${name}`, type: 'overlay', source: 'overlay',
    options: [`lowerdir=/${name}`, `upperdir=${layer}/upper`, `workdir=${layer}/work`, 'userxattr'],
  };
}

function boundMount(name: string): Mount {
  return { destination: `/${name}`, type: 'bind', source: `/${name}`, options: ['rbind', 'rprivate', 'rro'] };
}

function isReadable(folder: string): boolean {
  try {
    fs.accessSync(folder, fs.constants.R_OK | fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** proc_pid_mountinfo(5), field 5; blanks are three octal digits there. */
function readMountPoints(): string[] {
  return fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n').flatMap((line) => {
    const point = line.split(' ')[4];
    return point === undefined ? [] : [point.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))];
  });
}
