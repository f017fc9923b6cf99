import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';

/**
 * What Node is given to run, beside each program's bundle: it hands the bundle to V8 together with what V8 has compiled of it before.
 * Node's own compile cache keeps the outermost function only; this one has all that had run when it was written. The build writes it
 * (tools/products/warm.ts); where there was none, as in an installed package, the first start does.
 */
const own = import.meta.filename.replace(/\.cjs$/, '.main.cjs');

interface Program {
  readonly script: vm.Script;
  /** Where what V8 compiles is kept. */
  readonly cache: string;
}

function load(file: string): Program {
  const descriptor = fs.openSync(file, 'r');
  try {
    const { ino, ctimeNs } = fs.fstatSync(descriptor, { bigint: true });
    // V8 itself compares no more of a source than its length, so the name has to tell one build from another.
    const cache = `${import.meta.dirname}/cache/${ino}-${ctimeNs}-${process.version}`;
    const cachedData = readIfAllowed(cache);
    // It is ASCII: esbuild escapes the rest.
    const source = `(function (__filename, __dirname, become) {${fs.readFileSync(descriptor, 'latin1')}\n})`;
    return { script: new vm.Script(source, { filename: file, ...(cachedData && { cachedData }) }), cache };
  } finally {
    fs.closeSync(descriptor);
  }
}

function readIfAllowed(path: string): Buffer | undefined {
  try {
    return fs.readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Whole or not at all, as others may be starting. */
function keep({ script, cache }: Program): void {
  const aside = `${cache}.${process.pid}`;
  try {
    fs.mkdirSync(`${import.meta.dirname}/cache`, { recursive: true });
    fs.writeFileSync(aside, script.createCachedData(), { flush: true });
    fs.renameSync(aside, cache);
  } catch {
    // Somebody else's program: it is slower.
  }
}

type Main = (file: string, folder: string, become: (name: string) => void) => void;

function begin(file: string): void {
  const program = load(file);
  if (!fs.existsSync(program.cache) || process.env['DELOS_KEEP_COMPILED'] === '1') process.once('exit', () => keep(program));
  (program.script.runInThisContext() as Main)(file, import.meta.dirname, become);
}

/** Begins another program of this folder with the same words, in the place of the one that calls it, which has nothing more to do. */
function become(name: string): void {
  begin(path.join(import.meta.dirname, `${name}.main.cjs`));
}

/** Commands of `delos` that another program has. Where words stand before the command, `delos` finds out itself. */
const elsewhere: Readonly<Record<string, string>> = { vm: 'delos-machines', westworld: 'delos-machines' };
const program = path.basename(own) === 'delos.main.cjs' ? elsewhere[process.argv[2] ?? ''] : undefined;
if (program === undefined) begin(own);
else become(program);
