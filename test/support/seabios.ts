import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the package has: for i440FX and Q35 of today, of 128 KiB, and for machines without PCI. */
export const seabiosImages = ['bios-256k.bin', 'bios.bin', 'bios-microvm.bin'] as const;

/**
 * The folder of Debian's seabios: installed, out of the cache (~/.cache/delos-vm), or the first time from the package archive (160 kB).
 * A string that begins with "there is no" says why it can't be had.
 */
export function seabiosFolder(): string {
  const installed = '/usr/share/seabios';
  if (existsSync(join(installed, seabiosImages[0]))) return installed;
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'delos-vm');
  const folder = join(cache, 'seabios');
  try {
    if (!existsSync(folder)) download(cache, folder);
    return join(folder, installed);
  } catch (error) {
    return `there is no seabios: ${(error as Error).message.split('\n')[0]}`;
  }
}

/** Made aside, so that what is in the cache is whole. */
function download(cache: string, target: string): void {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'unpacking-'));
  try {
    const run = (program: string, ...words: string[]): void => void execFileSync(program, words, { cwd: folder, stdio: 'pipe' });
    run('apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download', 'seabios');
    run('dpkg-deb', '-x', ...globSync('*.deb', { cwd: folder }), '.');
    if (!existsSync(target)) renameSync(folder, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
