import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { root, sources } from './files.ts';

/** The folders of src, lowest first. A folder imports only itself and those before it. */
export const folders = [
  'lib', 'abi', 'sys', 'cpu', 'device', 'engine', 'boot', 'machine', 'snapshot', 'westworld', 'bpf', 'netlink', 'tar', 'plan', 'seccomp', 'cgroup', 'oci', 'runtime', 'layers', 'registry', 'images', 'network', 'containers',
  'vocabulary', 'everyday', 'dockerfile', 'library', 'cli',
] as const;

const specifiers = /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;

/** What a TypeScript source imports: the specifiers, as written. Comments are left out of it; a template literal is not looked into. */
export function importsOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  return [...code.matchAll(specifiers)].map((match) => (match[1] ?? match[2]) as string);
}

/** The rank of a file of src; what the package exports, src/index.ts and others in src itself, stands above all folders. Throws for a folder without a place in the order. */
function rank(path: string): number {
  if (path.split('/').length === 2) return folders.length;
  const folder = path.split('/')[1] as (typeof folders)[number];
  const place = folders.indexOf(folder);
  if (place < 0) throw new Error(`${path}: src/${folder} has no place in the order of tools/imports.ts`);
  return place;
}

/**
 * What is wrong with one import, or nothing.
 * @param path the importing file, from the clone's root
 * @param specifier the import as written
 */
export function importFault(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('node:')) return undefined;
  if (!specifier.startsWith('.')) return `${path} imports the package '${specifier}'; src has no dependencies`;
  const target = posix.join(posix.dirname(path), specifier);
  if (target === 'package.json') return undefined;
  if (!target.startsWith('src/')) return `${path} imports ${target}, which is outside src`;
  if (target.endsWith('.test.ts')) return `${path} imports a test, ${target}`;
  if (rank(target) > rank(path)) return `${path} imports ${target}, which stands above it`;
  return undefined;
}

/** Every import of src that goes against the order. */
export function importFaults(): string[] {
  return sources().flatMap((path) =>
    importsOf(readFileSync(join(root, path), 'utf8')).flatMap((specifier) => importFault(path, specifier) ?? []),
  );
}
