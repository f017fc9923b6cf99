import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sources } from '../files.ts';
import { run } from '../run.ts';
import type { Product } from './product.ts';

/** All that package.json exports. */
export const declaredEntries = ['src/index.ts', 'src/machine.ts', 'src/machine-browser.ts'];

/**
 * The library's .d.ts files. A type error elsewhere does not stop them: saying so is the business of `./dev check`, and a
 * container must start while a type is being mended.
 */
async function declare(path: string): Promise<void> {
  const options = ['--declaration', '--emitDeclarationOnly', '--noEmit', 'false', '--rootDir', 'src', '--outDir', path];
  const project = ['--ignoreConfig', '--target', 'es2024', '--module', 'nodenext', '--types', 'node', '--strict', '--skipLibCheck'];
  const { output } = await run('node_modules/.bin/tsc', [...project, '--allowImportingTsExtensions', ...options, ...declaredEntries]);
  if (!existsSync(join(path, 'index.d.ts'))) throw new Error(`tsc wrote no declarations:\n${output.trimEnd()}`);
}

export function declarationProducts(): Product[] {
  const inputs = [...sources(), 'tools/products/declarations.ts'];
  return [{ output: 'types', entry: declaredEntries[0] as string, inputs, kind: 'declarations', make: declare }];
}
