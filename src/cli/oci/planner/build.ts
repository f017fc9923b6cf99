import fs from 'node:fs';
import type { Build } from './protocol.ts';

/** Which build the program in this file is of; undefined when there is no such file any more. */
export function buildOf(file: string): Build | undefined {
  const found = fs.statSync(file, { bigint: true, throwIfNoEntry: false });
  return found && { inode: found.ino, changed: found.ctimeNs };
}

export function sameBuild(one: Build, other: Build): boolean {
  return one.inode === other.inode && one.changed === other.changed;
}
