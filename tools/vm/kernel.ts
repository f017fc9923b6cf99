import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { moduleName } from './modules.ts';

/** A kernel on disk. */
export interface GuestKernel {
  /** The ELF file, uncompressed: it boots by its PVH entry, which spares the guest the decompression. */
  readonly vmlinux: string;
  /** Files of modules by name. */
  readonly modules: ReadonlyMap<string, string>;
}

/** What is kept of the package; drivers of hardware that no guest here has would be 300 MB more. */
const keptFiles = ['./boot/vmlinuz-*', ...[
  'arch/x86/kvm', 'block', 'crypto', 'fs', 'lib', 'net', 'drivers/block', 'drivers/crypto/ccp', 'drivers/net/*.ko', 'drivers/virtio', 'virt/lib',
].map((path) => `./lib/modules/*/kernel/${path}`)];

/**
 * Debian's newest kernel for this release, out of the cache or, the first time, from the package archive (70 MB).
 * It is unpacked only, never installed. The cache is ~/.cache/delos-vm; remove it to get a newer kernel.
 * @throws Error when there is neither a cached kernel nor a package archive
 */
export function guestKernel(): GuestKernel {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'delos-vm');
  const folder = join(cache, 'kernel');
  if (!existsSync(folder)) download(cache, folder);
  const modules = new Map(globSync('lib/modules/*/kernel/**/*.ko', { cwd: folder }).map((file) => [moduleName(file), join(folder, file)]));
  return { vmlinux: join(folder, 'vmlinux'), modules };
}

/** Everything is made in a folder aside, so that a cached kernel is a whole one. */
function download(cache: string, target: string): void {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'unpacking-'));
  try {
    command(folder, 'apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download', packageName());
    const [archive = ''] = globSync('*.deb', { cwd: folder });
    command(folder, 'sh', '-c', 'dpkg-deb --fsys-tarfile "$0" | tar -x --wildcards "$@"', archive, ...keptFiles);
    rmSync(join(folder, archive));
    const [image = ''] = globSync('boot/vmlinuz-*', { cwd: folder });
    writeFileSync(join(folder, 'vmlinux'), decompress(readFileSync(join(folder, image))));
    // Whoever was faster has made the same.
    if (!existsSync(target)) renameSync(folder, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** linux-image-amd64 is an empty package that depends on the present kernel's. */
function packageName(): string {
  const text = command('/', 'apt-cache', 'depends', '--important', 'linux-image-amd64');
  const name = /Depends: (linux-image-\S+)/.exec(text)?.[1];
  if (name === undefined) throw new Error('the package archive has no linux-image-amd64 (apt-get update brings its list)');
  return name;
}

/**
 * The ELF file in a bzImage whose payload is compressed with xz, as those of Debian 12 are. The payload's place is in the boot header; its
 * last four bytes are the uncompressed length, which is not xz's.
 * Source: the kernel's Documentation/x86/boot.rst, setup_sects, payload_offset and payload_length.
 */
function decompress(image: Buffer): Buffer {
  const protectedModeAt = (image.readUInt8(0x1f1) + 1) * 512;
  const start = protectedModeAt + image.readUInt32LE(0x248);
  const end = start + image.readUInt32LE(0x24c) - 4;
  return execFileSync('xz', ['-dc'], { input: image.subarray(start, end), maxBuffer: 2 ** 28, stdio: ['pipe', 'pipe', 'inherit'] });
}

function command(cwd: string, program: string, ...args: string[]): string {
  return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
