import { S_IFCHR } from '../abi/fcntl.ts';
import { syscall } from '../sys/syscall.ts';
import { DelosError } from '../lib/errors.ts';
import type { ByteString } from '../tar/byte-string.ts';
import { cString, isFolder, setTimesAt, unless } from './calls.ts';
import { pathOf, type Place } from './names.ts';
import type { RootFolder } from './root-folder.ts';
import { setXattrAt } from './xattrs.ts';

/**
 * What becomes of whiteouts. They hide what the layers below have, never what their own layer has, whichever entry comes first (OCI
 * image specification, layer.md, "Whiteouts").
 */
export interface Whiteouts {
  /** The root was made opaque, in a way that the folder itself cannot say. */
  readonly opaqueRoot: boolean;
  /** The layer has made this path, or has an entry for it. */
  made(path: ByteString): void;
  /** Whether this path is the mark of a whiteout, which a file or folder of the same layer may take the place of. */
  isMark(path: ByteString): boolean;
  hide(place: Place): void;
  opaque(folder: ByteString): void;
}

/** Removes what is hidden: for a folder that holds the layers below. */
export function applyWhiteouts(root: RootFolder): Whiteouts {
  const own = new Set<ByteString>();
  const spare = (path: ByteString): boolean => own.has(path);
  return {
    opaqueRoot: false,
    made: (path) => void own.add(path),
    isMark: () => false,
    hide: (place) => void root.remove(place, spare),
    opaque: (folder) => root.empty(folder, spare),
  };
}

/** Says it to overlayfs: Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories". */
export function overlayWhiteouts(root: RootFolder, opaqueXattr: string): Whiteouts {
  const hidden = new Set<ByteString>();
  let opaqueRoot = false;
  const makeOpaque = (parent: number, base: ByteString): void => {
    const errno = setXattrAt(parent, base, opaqueXattr, Buffer.from('y'));
    if (errno !== undefined) throw new DelosError('unsupported', `${opaqueXattr} cannot be set here (${errno}): layers for overlayfs cannot be unpacked`);
  };
  return {
    get opaqueRoot() {
      return opaqueRoot;
    },
    made(path) {
      // Where the name was hidden before, a folder in its place shows nothing of the one below.
      if (!hidden.delete(path)) return;
      const parent = root.folder(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
      const base = path.slice(path.lastIndexOf('/') + 1);
      if (isFolder(parent.fd, base)) makeOpaque(parent.fd, base);
    },
    isMark: (path) => hidden.has(path),
    hide(place) {
      const parent = root.folder(place.folder);
      const made = unless(['EEXIST'], () => syscall('mknodat', parent.fd, cString(place.base), S_IFCHR, 0));
      if (made !== undefined) {
        hidden.add(pathOf({ folder: parent.path, base: place.base }));
        setTimesAt(parent.fd, place.base, { seconds: 0, nanoseconds: 0 });
      } else if (isFolder(parent.fd, place.base)) makeOpaque(parent.fd, place.base);
    },
    opaque(folder) {
      if (root.folder(folder).path === '') opaqueRoot = true;
      else makeOpaque(root.folder(folder).fd, '.');
    },
  };
}
