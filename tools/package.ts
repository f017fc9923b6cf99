import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './files.ts';
import { bundleProducts } from './products/bundles.ts';
import { declaredEntries } from './products/declarations.ts';

/** A path inside the package, or which path under which condition. */
type Exported = string | { readonly [condition: string]: Exported };

interface Package {
  version?: string;
  files?: string[];
  bin?: Record<string, string>;
  exports?: Record<string, Exported>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

function json(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

function isExecutable(path: string): boolean {
  return existsSync(join(root, path)) && (statSync(join(root, path)).mode & 0o111) !== 0;
}

function pathsOf(exported: Exported): string[] {
  return typeof exported === 'string' ? [exported] : Object.values(exported).flatMap(pathsOf);
}

/** Whether the build makes it: a bundle, or the declarations of one of src's own files. */
function isBuilt(path: string): boolean {
  const [, name, end] = /^\.\/build\/(?:types\/)?([\w-]+)(\.d\.ts|\.js)$/.exec(path) ?? [];
  if (end === '.d.ts') return declaredEntries.includes(`src/${name}.ts`);
  return bundleProducts().some(({ output }) => output === `${name}${end}`);
}

/** What a published package would get wrong: dependencies at run time, ranges, programs that are not there, lock and notes that lag behind. */
export function packageFaults(): string[] {
  const manifest = json('package.json') as Package;
  const locked = (json('package-lock.json') as { packages: Record<string, Package> }).packages[''] ?? {};
  const dev = Object.entries(manifest.devDependencies ?? {});
  return [
    ...Object.keys(manifest.dependencies ?? {}).map((name) => `dependencies: ${name}; there are none at run time`),
    ...dev.filter(([, version]) => !/^\d/.test(version)).map(([name, version]) => `devDependencies: ${name} is ${version}, not one exact version`),
    ...dev.filter(([name, version]) => locked.devDependencies?.[name] !== version).map(([name]) => `package-lock.json has another ${name}: npm install`),
    ...Object.values(manifest.bin ?? {}).filter((path) => !isExecutable(path)).map((path) => `bin: ${path} is no executable file`),
    ...Object.values(manifest.exports ?? {}).flatMap(pathsOf).filter((path) => !isBuilt(path)).map((path) => `exports: the build does not make ${path}`),
    ...(manifest.files ?? []).filter((path) => path !== 'build' && !path.startsWith('!') && !existsSync(join(root, path))).map((path) => `files: there is no ${path}`),
    ...(readFileSync(join(root, 'package-lock.json'), 'utf8').includes('"resolved"') ? ['package-lock.json names a registry: leave out "resolved"'] : []),
  ];
}
