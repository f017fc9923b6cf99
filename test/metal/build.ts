import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Guests of 64-bit mode, and of the modes before it. */
export const guests = ['long', 'legacy'] as const;
export type Guest = (typeof guests)[number];

const folder = join(import.meta.dirname, 'guests');

/** Code that runs where it was linked to, without a library, without registers that nobody saves. */
const options = [
  '-O1', '-Wall', '-Wextra', '-ffreestanding', '-fno-pic', '-fno-pie', '-static', '-nostdlib', '-mno-red-zone', '-mgeneral-regs-only',
  '-fno-stack-protector', '-fcf-protection=none', '-fno-asynchronous-unwind-tables', '-Wl,--build-id=none', '-Wl,-z,max-page-size=4096',
];

/** All topics of a mode as a multiboot kernel: an ELF file of 32 bits, whatever its code is. Takes gcc and binutils. */
export function build(guest: Guest): Uint8Array {
  const target = mkdtempSync(join(tmpdir(), 'delos-metal-'));
  try {
    const [whole, kernel] = [join(target, 'whole'), join(target, 'kernel')];
    const sources = ['metal.c', ...globSync(`${guest}/*.{c,S}`, { cwd: folder }).sort()].map((file) => join(folder, file));
    const width = guest === 'long' ? '-m64' : '-m32';
    execFileSync('gcc', [width, ...options, '-T', join(folder, 'guest.ld'), '-o', whole, ...sources], { stdio: ['ignore', 'inherit', 'inherit'] });
    execFileSync('objcopy', ['-O', 'elf32-i386', whole, kernel]);
    return new Uint8Array(readFileSync(kernel));
  } finally {
    rmSync(target, { recursive: true });
  }
}
