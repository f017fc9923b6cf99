import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { find, root, writtenAt } from '../files.ts';
import { run } from '../run.ts';
import type { Product } from './product.ts';

// No runtime and no memory: nothing but functions and globals.
const flags = ['-O3', '--runtime', 'stub', '--noAssert', '--noExportMemory', '--use', 'abort='];

/** Every WebAssembly module made of AssemblyScript: what it is called in build/, its entry. All sources of a module are in the entry's folder. */
const modules = { 'float.wasm': 'src/cpu/float/assembly/index.ts' } as const;

function inputsOf(entry: string): string[] {
  return [...find(entry.replace('index.ts', '*.ts')), 'tools/products/assembly.ts'];
}

async function compile(entry: string, path: string): Promise<void> {
  const { code, output } = await run(process.execPath, ['node_modules/assemblyscript/bin/asc.js', entry, ...flags, '--outFile', path]);
  if (code !== 0) throw new Error(`asc cannot compile ${entry}:\n${output.trimEnd()}`);
}

export function assemblyProducts(): Product[] {
  return Object.entries(modules).map(([output, entry]) => ({
    ...{ output, entry, inputs: inputsOf(entry), kind: 'WebAssembly' },
    make: (path) => compile(entry, path),
  }));
}

/** The bytes of a module as its sources are now, for what runs without `./dev build`: made anew when build/ has an older one or none. */
export async function assemblyModule(output: keyof typeof modules): Promise<Uint8Array<ArrayBuffer>> {
  const entry = modules[output];
  const path = join(root, 'build', output);
  const made = writtenAt(join('build', output));
  if (inputsOf(entry).some((input) => writtenAt(input) >= made)) {
    const aside = `${path}.${process.pid}`;
    mkdirSync(join(root, 'build'), { recursive: true });
    await compile(entry, aside);
    renameSync(aside, path);
  }
  return new Uint8Array(readFileSync(path));
}
