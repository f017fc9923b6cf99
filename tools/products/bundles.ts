import { readFile } from 'node:fs/promises';
import { build } from 'esbuild';
import type { BuildOptions, Plugin } from 'esbuild';
import { root, sources } from '../files.ts';
import { builtins } from './builtins.ts';
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

/**
 * Commands are imported when they are asked for, which is right for the sources; in a bundle it makes esbuild wrap every module in
 * a function, and running those takes longer than to run them all.
 */
const eager: Plugin = {
  name: 'eager',
  setup: ({ onLoad }) => onLoad({ filter: /\.ts$/ }, async ({ path }) => {
    const imports: string[] = [];
    const text = (await readFile(path, 'utf8')).replace(/\bimport\('(\.[^']+)'\)/g, (_, from: string) => `Promise.resolve(eager${imports.push(from) - 1})`);
    const contents = imports.map((from, index) => `import * as eager${index} from '${from}';`).join(' ') + text;
    return imports.length === 0 ? undefined : { contents, loader: 'ts' };
  }),
};

// A program is CommonJS: Node starts it some milliseconds sooner than a module.
const program: BuildOptions = {
  ...common,
  format: 'cjs',
  minifySyntax: true,
  plugins: [eager, builtins],
  define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
};

const starter: BuildOptions = { ...program, sourcemap: false };

const library: BuildOptions = { ...common, format: 'esm' };

/** Every bundle: what it is called in build/, where it begins, how it is made. */
const bundles: readonly [output: string, entry: string, options: BuildOptions][] = [
  ['delos.main.cjs', 'src/cli/main.ts', program],
  ['delos-oci.main.cjs', 'src/cli/oci/main.ts', program],
  ['delos-cni.main.cjs', 'src/cli/cni/main.ts', program],
  ...['delos.cjs', 'delos-oci.cjs', 'delos-cni.cjs'].map((output): [string, string, BuildOptions] => [output, 'src/cli/starter.ts', starter]),
  ['index.js', 'src/index.ts', library],
];

export function bundleProducts(): Product[] {
  const inputs = [...sources(), 'package.json', ...['bundles', 'builtins'].map((name) => `tools/products/${name}.ts`)];
  return bundles.map(([output, entry, options]): Product => ({
    ...{ output, entry, inputs, kind: 'bundles' },
    make: async (path) => {
      await build({ ...options, entryPoints: [entry], outfile: path });
    },
  }));
}
