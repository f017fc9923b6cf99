import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { initramfs as archive, type InitramfsEntry } from '../../src/boot/initramfs.ts';
import { root } from '../files.ts';
import type { GuestKernel } from './kernel.ts';
import { loadOrder } from './modules.ts';

export type CgroupMode = 'unified' | 'legacy' | 'hybrid';

export interface GuestRequest {
  readonly kernel: GuestKernel;
  /** Modules to load besides those that bring the host's root. */
  readonly modules: readonly string[];
  readonly cgroup: CgroupMode;
  /** Program and arguments. */
  readonly command: readonly string[];
}

const ownModules = ['virtio_pci', '9pnet_virtio', '9p', 'overlay'];

/** Statically linked, so that it runs without the host's libraries (Debian: busybox-static). */
const busybox = '/usr/bin/busybox';

/** The guest's first file system: busybox, the modules, init.sh and what it is to do. */
export function initramfs({ kernel, modules, cgroup, command }: GuestRequest): Uint8Array {
  const order = loadOrder([...ownModules, ...modules], kernel.modules);
  return archive([
    folder('bin'),
    program('bin/busybox', busybox),
    program('init', script('init.sh')),
    folder('modules'),
    ...order.map((name) => program(`modules/${name}.ko`, kernel.modules.get(name) ?? '')),
    folder('vm'),
    program('vm/boot.sh', script('boot.sh')),
    text('vm/modules', order.map((name) => `${name}\n`).join('')),
    text('vm/cgroup', `${cgroup}\n`),
    text('vm/folder', `${root}\n`),
    text('vm/command', `exec ${command.map(quoted).join(' ')}\n`),
  ]);
}

function script(name: string): string {
  return join(import.meta.dirname, name);
}

function folder(name: string): InitramfsEntry {
  return { kind: 'folder', path: name };
}

function program(name: string, file: string): InitramfsEntry {
  return { kind: 'file', path: name, mode: 0o755, data: readFileSync(file) };
}

function text(name: string, data: string): InitramfsEntry {
  return { kind: 'file', path: name, data: Buffer.from(data) };
}

/** As a word of sh(1), whatever is in it. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
