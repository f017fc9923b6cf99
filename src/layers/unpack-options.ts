/** What a layer may hold at most. What goes beyond is refused before it is written. */
export interface LayerLimits {
  /** Bytes of the uncompressed archive, and of any one file with its holes. */
  readonly bytes: number;
  readonly entries: number;
  /**
   * Uncompressed bytes for each compressed one, beyond the first 64 MiB. gzip cannot reach 1033 (RFC 1951: 258 bytes from 2 bits), and an
   * image that holds a large empty file comes near that: whatever is above wants to fill the disk.
   */
  readonly ratio: number;
}

export const DEFAULT_LAYER_LIMITS: LayerLimits = { bytes: 64 * 1024 ** 3, entries: 4_000_000, ratio: 1100 };

export interface UnpackOptions {
  /**
   * `overlay`: the folder is one layer of an overlay mount; a whiteout becomes a character device 0:0 and an opaque folder gets
   * overlayfs's attribute. `apply`: the folder holds the layers below already, and what is hidden is removed from it.
   */
  readonly whiteouts: 'overlay' | 'apply';
  /** Where overlayfs keeps its attributes: `user` for mounts with userxattr, which is what a user namespace has. Default `trusted`. */
  readonly overlayXattr?: 'trusted' | 'user';
  /** `mine`: everything belongs to who unpacks, for a user who has no other ids. Default `told`. */
  readonly owners?: 'told' | 'mine';
  /** `skip`: device nodes are left out and listed, as they are when the kernel refuses to make one. Default `make`. */
  readonly devices?: 'make' | 'skip';
  /**
   * With `overlay`: the folders of the layers below, topmost first. A folder that the layer needs and has no entry of is made like
   * theirs, their links to folders are followed, their files can be linked to, and whiteouts of what they do not have are left out.
   * Without it nothing is known of them; for the lowest layer give an empty list.
   */
  readonly lowers?: readonly string[];
  readonly limits?: Partial<LayerLimits>;
  readonly signal?: AbortSignal;
}

/** Something of a layer that was left out on purpose. */
export interface Skipped {
  /** The entry's name, as text. */
  readonly name: string;
  /** `xattr "trusted.overlay.opaque": it would steer overlayfs` */
  readonly reason: string;
}

export interface UnpackedLayer {
  /** Of the uncompressed archive: `rootfs.diff_ids` of an image's configuration. */
  readonly diffId: `sha256:${string}`;
  /** Length of the uncompressed archive. */
  readonly size: number;
  /** Length of what came in. */
  readonly compressedSize: number;
  readonly entries: number;
  /** The layer hides all that is below it. overlayfs knows no opaque root: leave the layers below out of the mount. */
  readonly opaqueRoot: boolean;
  /** The first thousand. */
  readonly skipped: readonly Skipped[];
}
