/** Versions of the CNI specification that are spoken, both to plugins and as one; the newest last. Before 0.3.0 results have another shape. */
export const cniVersions = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;

/** Whether a version is that one or a later one. */
export function isSince(version: string, other: (typeof cniVersions)[number]): boolean {
  return cniVersions.findIndex((known) => known === version) >= cniVersions.indexOf(other);
}

export function isKnown(version: string): boolean {
  return cniVersions.some((known) => known === version);
}
