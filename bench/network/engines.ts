import path from 'node:path';
import { root } from '../../tools/files.ts';
import { find } from '../containers/runtimes.ts';

/** An engine, as root with folders of its own. */
export interface Engine {
  readonly name: string;
  /** The engine with its global flags, and other words. */
  readonly command: (...words: readonly string[]) => string[];
  /** `run` with flags, a root file system and a command. */
  readonly run: (flags: readonly string[], rootfs: string, ...command: readonly string[]) => string[];
}

/** This class of machine gives nobody the limits that podman asks for by itself. */
export const podmanLimits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000'];

export const delosCommand: readonly string[] = [path.join(root, 'build/node'), path.join(root, 'build/delos.cjs')];

/** Delos, and podman where it is. @param folder for what they keep */
export function engines(folder: string): Engine[] {
  const delos = (...words: readonly string[]): string[] => [...delosCommand, '--root', `${folder}/delos`, '--runroot', `${folder}/run`, ...words];
  const ours: Engine = { name: 'delos', command: delos, run: (flags, rootfs, ...command) => delos('run', ...flags, rootfs, ...command) };
  const program = find('podman');
  if (program === undefined) return [ours];
  const podman = (...words: readonly string[]): string[] => [program, '--root', `${folder}/podman`, '--runroot', `${folder}/podman-run`, '--cgroup-manager', 'cgroupfs', ...words];
  return [ours, { name: 'podman', command: podman, run: (flags, rootfs, ...command) => podman('run', ...podmanLimits, ...flags, '--rootfs', `${rootfs}:O`, ...command) }];
}
