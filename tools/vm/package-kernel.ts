import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A package that depends on the present kernel of its kind, and the suite that it is looked for in when it isn't this release's. */
export interface KernelPackage {
  readonly name: string;
  readonly suite?: string;
}

/**
 * The bzImage of a Debian kernel, out of the cache (~/.cache/delos-vm) or the first time from the package archive. It is unpacked only, never
 * installed; a suite that this system does not use is looked up beside its own lists.
 * @throws Error when there is neither
 */
export function packageKernel({ name, suite }: KernelPackage): string {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'delos-vm');
  const folder = join(cache, suite === undefined ? name : `${name}-${suite}`);
  if (!existsSync(folder)) download(cache, folder, name, suite);
  const [image] = globSync('boot/vmlinuz-*', { cwd: folder });
  if (image === undefined) throw new Error(`${folder} has no kernel: remove it`);
  return join(folder, image);
}

/** Everything is made in a folder aside, so that a cached kernel is a whole one. */
function download(cache: string, target: string, name: string, suite: string | undefined): void {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'unpacking-'));
  try {
    const options = ['-o', 'APT::Sandbox::User=root', ...(suite === undefined ? [] : listsOf(folder, suite))];
    const depends = command(folder, 'apt-cache', ...options, 'depends', '--important', name);
    const kernel = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
    if (kernel === undefined) throw new Error(`the package archive has no ${name} (apt-get update brings its list)`);
    command(folder, 'apt-get', '-q', ...options, 'download', kernel);
    command(folder, 'sh', '-c', "dpkg-deb --fsys-tarfile *.deb | tar -x --wildcards './boot/vmlinuz-*' && rm *.deb && rm -rf apt");
    renameSync(folder, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const sources = '/etc/apt/sources.list.d/debian.sources';

/** Options for lists of another suite of the same archive, which are fetched. */
function listsOf(folder: string, suite: string): string[] {
  const [first = ''] = readFileSync(sources, 'utf8').split('\n\n');
  mkdirSync(join(folder, 'apt/parts'), { recursive: true });
  mkdirSync(join(folder, 'apt/lists/partial'), { recursive: true });
  writeFileSync(join(folder, 'apt/parts/suite.sources'), first.replace(/^Suites:.*$/m, `Suites: ${suite}`));
  const options = [
    'Dir::Etc::sourcelist=/dev/null', `Dir::Etc::sourceparts=${join(folder, 'apt/parts')}`, `Dir::State::lists=${join(folder, 'apt/lists')}`, 'Dir::Cache::pkgcache=',
    'Dir::Cache::srcpkgcache=', 'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  command(folder, 'apt-get', '-q', ...options, 'update');
  return options;
}

function command(cwd: string, program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
