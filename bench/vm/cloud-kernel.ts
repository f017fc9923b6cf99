import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/**
 * The bzImage of Debian's kernel for clouds (compressed with LZ4): out of the cache, ~/.cache/delos-vm/cloud, or the first time from the package
 * archive (27 MB). It is unpacked only, never installed.
 */
export function cloudKernel(): string {
  const cache = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'delos-vm');
  const folder = path.join(cache, 'cloud');
  if (!fs.existsSync(folder)) download(cache, folder);
  const [image] = fs.globSync('boot/vmlinuz-*', { cwd: folder });
  if (image === undefined) throw new Error(`${folder} has no kernel: remove it`);
  return path.join(folder, image);
}

/** Everything is made in a folder aside, so that a cached kernel is a whole one. */
function download(cache: string, target: string): void {
  fs.mkdirSync(cache, { recursive: true });
  const folder = fs.mkdtempSync(path.join(cache, 'unpacking-'));
  try {
    const depends = command(folder, 'apt-cache', 'depends', '--important', 'linux-image-cloud-amd64');
    const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
    if (name === undefined) throw new Error('the package archive has no linux-image-cloud-amd64 (apt-get update brings its list)');
    command(folder, 'apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download', name);
    command(folder, 'sh', '-c', "dpkg-deb --fsys-tarfile *.deb | tar -x --wildcards './boot/vmlinuz-*' && rm *.deb");
    fs.renameSync(folder, target);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function command(cwd: string, program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
