import fs from 'node:fs';
import path from 'node:path';
import { jsonWords } from '../images/dockerfile-words.ts';
import type { RunConfig } from '../images/config-change.ts';
import { setTimes } from '../layers/calls.ts';
import { compareTrees } from '../layers/compare.ts';
import { timeOf } from '../layers/metadata.ts';
import { packLayer, type PackOptions } from '../layers/pack.ts';
import { DelosError } from '../lib/errors.ts';
import { byteString } from '../tar/byte-string.ts';
import type { LayerView } from './layer-view.ts';
import type { CommandMount } from './prepared-mounts.ts';
import type { Instruction } from './syntax.ts';

/** A command that is to be run in a container of its own. */
export interface Command {
  /** The folders of the root, the topmost first; none for an empty one. */
  readonly lowers: readonly string[];
  readonly args: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly user: string;
  readonly workingDir: string;
  readonly network: string;
  readonly mounts: readonly CommandMount[];
  /** A program that the container finds at {@link scriptPath}. */
  readonly script?: string;
  /** Contents of /etc/passwd and /etc/group. */
  readonly passwd: string;
  readonly group: string;
}

/** What a command has left behind. */
export interface Written {
  /** The upper folder of the container's overlay mount, or its root, which was a copy. It may be changed. */
  readonly upper: string;
  /** What the root was a copy of. */
  readonly base?: string;
  /** Where the container had something mounted, absolute. */
  readonly mountPoints: readonly string[];
  /** The owners that are meant by those on disk; absent without a user namespace. */
  readonly owner?: PackOptions['owner'];
  /** The same for `base`. */
  readonly baseOwner?: PackOptions['owner'];
}

/**
 * Runs a command, hands over what it has written, and leaves nothing of the container.
 * @throws DelosError build-failed when it does not end with 0, interrupted, and what keeps a container from starting
 */
export type RunCommand = <T>(command: Command, take: (written: Written) => Promise<T>, signal?: AbortSignal) => Promise<T>;

/** Where a script is, in a file system that is no part of the image. */
export const scriptPath = '/dev/build-script';

/** The words of a RUN: a program and its arguments, or a line for the shell; a document alone is what the shell reads, or a program of its own. */
export function commandOf({ text, heredocs }: Instruction, { Shell = ['/bin/sh', '-c'] }: RunConfig): { args: readonly string[]; script?: string } {
  const words = jsonWords(text);
  if (words?.length === 0) throw new DelosError('bad-usage', 'expected a command');
  if (words !== undefined) return { args: words };
  const [first] = heredocs;
  if (first === undefined) return { args: [...Shell, text] };
  if (heredocs.length > 1 || first.word !== text) return { args: [...Shell, `${text}\n${heredocs.map(({ name, content }) => `${content}${name}\n`).join('')}`] };
  return first.content.startsWith('#!') ? { args: [scriptPath], script: first.content } : { args: [...Shell, first.content] };
}

/**
 * Takes away what a container has in its folder only because something had to be mounted there: empty files and folders that are not
 * in the image, and copies of folders around them in which nothing else was changed.
 */
export function removeMountPoints({ upper, base, mountPoints }: Written, below: LayerView): void {
  for (const place of [...mountPoints].toSorted((a, b) => b.length - a.length)) {
    const parts = path.posix.normalize(place).split('/').filter((part) => part !== '');
    for (; parts.length > 0 && isLeftOver(upper, parts, below, base !== undefined); parts.pop()) {
      fs.rmSync(path.join(upper, ...parts), { recursive: true });
      if (base !== undefined) restoreTime(upper, parts.slice(0, -1), below);
    }
  }
}

/** What a container has written as the tar of a layer; nothing when that is nothing. */
export function packWritten({ upper, base, owner, baseOwner }: Written, options: Pick<PackOptions, 'clampSeconds' | 'signal'>): AsyncGenerator<Uint8Array> | undefined {
  const owners = { ...(owner && { owner }), ...(baseOwner && { baseOwner }) };
  if (base === undefined) return fs.readdirSync(upper).length === 0 ? undefined : packLayer(upper, { overlay: true, ...owners, ...options });
  for (const { path: changed } of compareTrees(base, upper, owners)) if (changed !== '') return packLayer(upper, { base, ...owners, ...options });
  return undefined;
}

/** Of a copy, gives the folder around a name that was removed its time back, which making the name had changed. */
function restoreTime(root: string, parts: readonly string[], below: LayerView): void {
  const node = below.open(byteString(parts.join('/')));
  if (node === undefined) return;
  const fd = fs.openSync(path.join(root, ...parts), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    if (node.kind === 'directory') setTimes(fd, timeOf(node.stat.mtimeNs));
  } finally {
    fs.closeSync(fd);
    node.close();
  }
}

function isLeftOver(upper: string, parts: readonly string[], below: LayerView, isCopy: boolean): boolean {
  // A link on the way leads out of the folder, and nothing was made behind it.
  const isReal = parts.every((_, index) => index === parts.length - 1 || fs.lstatSync(path.join(upper, ...parts.slice(0, index + 1)), { throwIfNoEntry: false })?.isDirectory() === true);
  const found = isReal ? fs.lstatSync(path.join(upper, ...parts), { throwIfNoEntry: false }) : undefined;
  if (found === undefined || !(found.isDirectory() ? fs.readdirSync(path.join(upper, ...parts)).length === 0 : found.isFile() && found.size === 0)) return false;
  const node = below.open(byteString(parts.join('/')));
  if (node === undefined) return true;
  try {
    if (isCopy) return false;
    const { mode, uid, gid } = node.stat;
    return found.isDirectory() && node.kind === 'directory' && found.mode === Number(mode) && found.uid === Number(uid) && found.gid === Number(gid);
  } finally {
    node.close();
  }
}
