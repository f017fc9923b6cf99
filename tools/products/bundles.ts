import { readFile, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';
import type { BuildOptions, Plugin } from 'esbuild';
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
  plugins: [eager],
  define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
};

const library: BuildOptions = { ...common, format: 'esm' };

/** Every bundle: what it is called in build/, where it begins, how it is made. */
const bundles: readonly [output: string, entry: string, options: BuildOptions][] = [
  ['delos.main.cjs', 'src/cli/main.ts', program],
  ['delos-oci.main.cjs', 'src/cli/oci/main.ts', program],
  ['delos-cni.main.cjs', 'src/cli/cni/main.ts', program],
  ['index.js', 'src/index.ts', library],
];

/**
 * What Node is given to run: it turns V8's compile cache on before the program is read, which saves a tenth of a cold start.
 * `warmCaches` of warm.ts fills it.
 */
function starter(output: string): Product {
  const main = output.replace('.cjs', '.main.cjs');
  const text = `require('node:module').enableCompileCache?.(__dirname + '/cache');\nrequire('./${main}');\n`;
  return { output, entry: 'package.json', inputs: ['tools/products/bundles.ts'], kind: 'bundles', make: (path) => writeFile(path, text) };
}

export function bundleProducts(): Product[] {
  const inputs = [...sources(), 'package.json', 'tools/products/bundles.ts'];
  const made = bundles.map(([output, entry, options]): Product => ({
    ...{ output, entry, inputs, kind: 'bundles' },
    make: async (path) => {
      await build({ ...options, entryPoints: [entry], outfile: path });
    },
  }));
  return [...made, starter('delos.cjs'), starter('delos-oci.cjs'), starter('delos-cni.cjs')];
}
