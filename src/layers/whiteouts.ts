import { S_IFCHR } from '../abi/fcntl.ts';
import { syscall } from '../sys/syscall.ts';
import { DelosError } from '../lib/errors.ts';
import type { ByteString } from '../tar/byte-string.ts';
import { cString, isFolder, setTimesAt, unless } from './calls.ts';
import { pathOf, placeOf, type Place } from './names.ts';
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
    hide(place) {
      // Nothing is made for the sake of hiding it.
      if (root.hasFolder(place.folder)) root.remove(place, spare);
    },
    opaque(folder) {
      // A folder that is opaque in this layer is in this layer.
      own.add(root.folder(folder).path);
      root.empty(folder, spare);
    },
  };
}

/**
 * Says it to overlayfs: Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories". A whiteout where there is nothing
 * to hide is left out if that can be known: overlayfs lists its device in a folder that only one layer has.
 * @param isBelow whether the layers below show a path, if they are known
 */
export function overlayWhiteouts(root: RootFolder, opaqueXattr: string, isBelow?: (path: ByteString) => boolean): Whiteouts {
  return new OverlayWhiteouts(root, opaqueXattr, isBelow);
}

class OverlayWhiteouts implements Whiteouts {
  opaqueRoot = false;
  readonly #root: RootFolder;
  readonly #xattr: string;
  readonly #isBelow: ((path: ByteString) => boolean) | undefined;
  /** Paths that are devices of ours. */
  readonly #hidden = new Set<ByteString>();
  readonly #opaque = new Set<ByteString>();

  constructor(root: RootFolder, opaqueXattr: string, isBelow?: (path: ByteString) => boolean) {
    this.#root = root;
    this.#xattr = opaqueXattr;
    this.#isBelow = isBelow;
  }

  made(path: ByteString): void {
    // Where the name was hidden before, a folder in its place shows nothing of the one below.
    if (!this.#hidden.delete(path)) return;
    const place = placeOf(path);
    const parent = this.#root.folder(place.folder);
    if (isFolder(parent.fd, place.base)) this.#makeOpaque(parent.fd, place.base, path);
  }

  isMark(path: ByteString): boolean {
    return this.#hidden.has(path);
  }

  hide(place: Place): void {
    // A folder that would hold but the whiteout is not made for nothing.
    if (this.#isBelow?.(pathOf(place)) === false) return;
    const parent = this.#root.folder(place.folder);
    const path = pathOf({ folder: parent.path, base: place.base });
    if (this.#isUnderOpaque(path) || this.#isBelow?.(path) === false) return;
    if (isFolder(parent.fd, place.base)) return this.#makeOpaque(parent.fd, place.base, path);
    if (unless(['EEXIST'], () => syscall('mknodat', parent.fd, cString(place.base), S_IFCHR, 0)) === undefined) return;
    this.#hidden.add(path);
    setTimesAt(parent.fd, place.base, { seconds: 0, nanoseconds: 0 });
  }

  opaque(folder: ByteString): void {
    const { fd, path } = this.#root.folder(folder);
    if (path !== '') return this.#makeOpaque(fd, '.', path);
    this.opaqueRoot = true;
    this.#dropBelow('');
  }

  #makeOpaque(parent: number, base: ByteString, path: ByteString): void {
    const errno = setXattrAt(parent, base, this.#xattr, Buffer.from('y'));
    if (errno !== undefined) throw new DelosError('unsupported', `${this.#xattr} cannot be set here (${errno}): layers for overlayfs cannot be unpacked`);
    this.#opaque.add(path);
    this.#dropBelow(`${path}/`);
  }

  #isUnderOpaque(path: ByteString): boolean {
    if (this.opaqueRoot) return true;
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) if (this.#opaque.has(path.slice(0, slash))) return true;
    return false;
  }

  /** What is opaque hides all that these would. */
  #dropBelow(prefix: ByteString): void {
    for (const path of this.#hidden) {
      if (!path.startsWith(prefix)) continue;
      this.#hidden.delete(path);
      const place = placeOf(path);
      syscall('unlinkat', this.#root.folder(place.folder).fd, cString(place.base), 0);
    }
  }
}
