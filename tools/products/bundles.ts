import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
 * @param elsewhere what is in the place of an import that the bundle leaves to another, as code; undefined for one that is its own
 */
const eager = (elsewhere: (specifier: string, importer: string) => string | undefined = () => undefined): Plugin => ({
  name: 'eager',
  setup: ({ onLoad }) => onLoad({ filter: /\.ts$/ }, async ({ path }) => {
    const imports: string[] = [];
    const here = (from: string): string => `Promise.resolve(eager${imports.push(from) - 1})`;
    const text = await readFile(path, 'utf8');
    const replaced = text.replace(/\bimport\('(\.[^']+)'\)/g, (_, from: string) => elsewhere(from, path) ?? here(from));
    const contents = imports.map((from, index) => `import * as eager${index} from '${from}';`).join(' ') + replaced;
    return replaced === text ? undefined : { contents, loader: 'ts' };
  }),
});

/**
 * The commands about machines bring a processor with them, which would make every start of a container slower. They have a bundle of their own, a
 * whole program: the other one becomes it (src/cli/starter.ts), which is for ever, so nobody waits for the command's module.
 */
const aboutMachines = /^\.\/(?:vm|westworld|explain-machines|explain-vmx)\b/;
const becomes = "(become('delos-machines'), new Promise(() => undefined))";

// A program is CommonJS: Node starts it some milliseconds sooner than a module.
const program: BuildOptions = {
  ...common,
  format: 'cjs',
  minifySyntax: true,
  plugins: [eager(), builtins],
  define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
};

const containers: BuildOptions = { ...program, plugins: [eager((from) => (aboutMachines.test(from) ? becomes : undefined)), builtins] };
// It is begun for these commands alone; of the table's others it needs the names and flags.
const left = "Promise.reject(new Error('assertion: this program has the commands about machines only'))";
const machines: BuildOptions = { ...program, plugins: [eager((from, importer) => (importer.endsWith('/table.ts') && !aboutMachines.test(from) ? left : undefined)), builtins] };

const starter: BuildOptions = { ...program, sourcemap: false };

const library: BuildOptions = { ...common, format: 'esm' };

// What a page or a Worker imports: esbuild refuses whatever of Node is asked for.
const browser: BuildOptions = { ...common, platform: 'browser', target: 'es2022', format: 'esm' };

/** WebAssembly that is part of a bundle, as the build has just made it, or had. */
function embedded(bundle: string): BuildOptions {
  const made = [dirname(bundle), join(root, 'build')].map((folder) => join(folder, 'float.wasm')).find((path) => existsSync(path));
  if (made === undefined) throw new Error('there is no float.wasm to put into a bundle');
  return { define: { DELOS_FLOAT_WASM: JSON.stringify(readFileSync(made, 'base64')) } };
}

/** Every bundle: what it is called in build/, where it begins, how it is made. */
const bundles: readonly [output: string, entry: string, options: BuildOptions][] = [
  ['delos.main.cjs', 'src/cli/main.ts', containers],
  ['delos-machines.main.cjs', 'src/cli/main.ts', machines],
  ['delos-oci.main.cjs', 'src/cli/oci/main.ts', program],
  ['delos-cni.main.cjs', 'src/cli/cni/main.ts', program],
  ...['delos.cjs', 'delos-oci.cjs', 'delos-cni.cjs'].map((output): [string, string, BuildOptions] => [output, 'src/cli/starter.ts', starter]),
  ['index.js', 'src/index.ts', library],
  ['machine.js', 'src/machine.ts', library],
  ['machine-browser.js', 'src/machine-browser.ts', browser],
];

export function bundleProducts(): Product[] {
  const inputs = [...sources(), 'package.json', ...['bundles', 'builtins'].map((name) => `tools/products/${name}.ts`)];
  return bundles.map(([output, entry, options]): Product => ({
    ...{ output, entry, inputs, kind: 'bundles' },
    make: async (path) => {
      await build({ ...options, ...(options === browser && embedded(path)), entryPoints: [entry], outfile: path });
    },
  }));
}
