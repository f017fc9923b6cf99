import path from 'node:path/posix';
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_CLOEXEC, S_IFBLK, S_IFCHR, S_IFIFO } from '../abi/fcntl.ts';
import { OPEN_TREE_CLONE } from '../abi/mount.ts';
import { call, type Item } from '../plan/step.ts';
import type { Device } from './config/types.ts';
import { hasOwnUser, type Build, type Field } from './field.ts';
import { attach } from './mount/attach.ts';
import { makePath, openDirectory, openTarget } from './open.ts';

/** config-linux.md "Default Devices". */
export const defaultDevices: readonly Device[] = [
  ['null', 1, 3], ['zero', 1, 5], ['full', 1, 7], ['random', 1, 8], ['urandom', 1, 9], ['tty', 5, 0],
].map(([name, major, minor]) => ({ type: 'c', path: `/dev/${name}`, major: Number(major), minor: Number(minor), fileMode: 0o666 }));

/** config-linux.md "Dev symbolic links", and /dev/ptmx of the container's own devpts. */
const links: readonly (readonly [name: string, target: string])[] = [
  ['fd', '/proc/self/fd'], ['stdin', '/proc/self/fd/0'], ['stdout', '/proc/self/fd/1'], ['stderr', '/proc/self/fd/2'],
  ['core', '/proc/kcore'], ['ptmx', 'pts/ptmx'],
];

/** linux.devices and those every container has. An image that binds a /dev of its own is left alone, as runc does. */
export const devices: Field = {
  at: ['/linux/devices'],
  support: 'full',
  init: (build) => {
    const { config } = build;
    if (config.mounts?.some((mount) => mount.destination === '/dev' && mount.options?.some((option) => /^r?bind$/.test(option)))) return [];
    const asked = config.linux?.devices ?? [];
    const missing = defaultDevices.filter((device) => !asked.some((other) => other.path === device.path));
    const wanted: readonly Wanted[] = [
      ...missing.map((device) => ({ device, why: 'a default device' })),
      ...asked.map((device, index) => ({ device, why: `/linux/devices/${index}` })),
    ];
    return [
      ...(hasOwnUser(build) ? wanted.flatMap((one) => bindDevice(build, one)) : makeDevices(build, wanted)),
      ...makePath(build, '/dev', 'directory', 'a default link'),
      openDirectory(build, '/dev', 'a default link'),
      ...links.map(([name, target]) => call('symlinkat', [target, build.cells.directory, name], 'a default link', { accept: { EEXIST: 'next' } })),
      call('close', [build.cells.directory], 'a default link'),
    ];
  },
};

const typeBits = { c: S_IFCHR, u: S_IFCHR, b: S_IFBLK, p: S_IFIFO } as const;

interface Wanted {
  readonly device: Device;
  readonly why: string;
}

/** Makes the nodes folder by folder, each of which is opened once. */
function makeDevices(build: Build, wanted: readonly Wanted[]): Item[] {
  const { directory } = build.cells;
  const folders = Map.groupBy(wanted, ({ device }) => path.dirname(device.path));
  return [...folders].flatMap(([folder, inside]): Item[] => {
    const why = inside[0]?.why ?? '';
    return [
      ...makePath(build, folder, 'directory', why),
      openDirectory(build, folder, why),
      ...inside.flatMap((one) => makeNode(build, one)),
      call('close', [directory], why),
    ];
  });
}

function makeNode(build: Build, { device, why }: Wanted): Item[] {
  const { directory } = build.cells;
  const name = path.basename(device.path);
  const mode = (device.fileMode ?? 0o666) & 0o7777;
  return [
    call('mknodat', [directory, name, typeBits[device.type] | mode, deviceNumber(device)], why, { accept: { EEXIST: 'next' } }),
    ...(device.uid || device.gid ? [call('fchownat', [directory, name, device.uid ?? 0, device.gid ?? 0, AT_SYMLINK_NOFOLLOW], why)] : []),
  ];
}

/** mknod(2) is refused in a user namespace, so the host's node is bound. */
function bindDevice(build: Build, { device, why }: Wanted): Item[] {
  const { mount } = build.cells;
  if (device.type === 'p') return makeDevices(build, [{ device, why }]);
  return [
    ...openTarget(build, device.path, 'file', why),
    call('open_tree', [AT_FDCWD, device.path, OPEN_TREE_CLONE | O_CLOEXEC], why, { out: mount }),
    ...attach(build, mount, why),
    call('close', [mount], why),
  ];
}

/** The kernel's encoding of a device number for mknod(2), new_encode_dev(). */
function deviceNumber({ major = 0, minor = 0 }: Device): number {
  return (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12);
}
