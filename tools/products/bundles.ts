import { build } from 'esbuild';
import type { BuildOptions } from 'esbuild';
import { root, sources } from '../files.ts';
import type { Product } from './product.ts';

const common: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node22',
  sourcemap: 'external',
  logLevel: 'silent',
  legalComments: 'none',
};

// A program is CommonJS: Node starts it some milliseconds sooner than a module.
const program: BuildOptions = {
  ...common,
  format: 'cjs',
  define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
};

const library: BuildOptions = { ...common, format: 'esm' };

/** Every bundle: what it is called in build/, where it begins, how it is made. */
const bundles: readonly [output: string, entry: string, options: BuildOptions][] = [
  ['delos.cjs', 'src/cli/main.ts', program],
  ['delos-oci.cjs', 'src/cli/oci/main.ts', program],
  ['planner.cjs', 'src/runtime/planner/main.ts', program],
  ['index.js', 'src/index.ts', library],
];

export function bundleProducts(): Product[] {
  const inputs = [...sources(), 'package.json', 'tools/products/bundles.ts'];
  return bundles.map(([output, entry, options]) => ({
    ...{ output, entry, inputs, kind: 'bundles' },
    make: async (path) => {
      await build({ ...options, entryPoints: [entry], outfile: path });
    },
  }));
}
