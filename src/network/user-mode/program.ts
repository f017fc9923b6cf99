import fs from 'node:fs';
import path from 'node:path';
import { DelosError } from '../../lib/errors.ts';

/**
 * Programs that give an ordinary user's container a network: each puts a device of its own into the container's namespace and does in sockets of
 * the user what comes out of it. slirp4netns(1), pasta(1). The one that is preferred comes first: pasta has IPv6 and is
 * faster, but that of Debian 12 keeps clients from outside waiting who wait for the server's first word.
 */
export const userModePrograms = ['slirp4netns', 'pasta'] as const;

export type UserModeProgram = (typeof userModePrograms)[number];

export function isUserMode(network: string): network is UserModeProgram {
  return userModePrograms.some((name) => name === network);
}

const tun = '/dev/net/tun';

/** Those that this user can run: installed, and the kernel's device for it may be opened. The preferred one first. */
export function usableUserModes(searchPath = process.env['PATH'] ?? ''): UserModeProgram[] {
  return isAllowed(tun, fs.constants.R_OK | fs.constants.W_OK) ? userModePrograms.filter((name) => findProgram(name, searchPath) !== undefined) : [];
}

/** Where a program is. @throws DelosError unsupported when it cannot be used here */
export function requireUserMode(name: UserModeProgram, searchPath = process.env['PATH'] ?? ''): string {
  const file = findProgram(name, searchPath);
  if (file === undefined) throw new DelosError('unsupported', `--network ${name}: ${name} is not installed`);
  if (!isAllowed(tun, fs.constants.R_OK | fs.constants.W_OK)) throw new DelosError('unsupported', `--network ${name}: ${tun} cannot be opened by this user`);
  return file;
}

function findProgram(name: string, searchPath: string): string | undefined {
  const folders = searchPath.split(':').filter((folder) => path.isAbsolute(folder));
  return folders.map((folder) => path.join(folder, name)).find((file) => isAllowed(file, fs.constants.X_OK));
}

function isAllowed(file: string, mode: number): boolean {
  try {
    fs.accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}
