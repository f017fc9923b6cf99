import { run } from './run.ts';

/** What a page or a Worker imports. */
const entry = 'src/machine-browser.ts';

/**
 * The types that a browser has and nothing of Node's: whatever is imported from here on and asks for `node:`, `process`, `Buffer` or another
 * global that a page has not is an error of the compiler.
 */
const options = [
  '--ignoreConfig', '--noEmit', '--pretty', 'false', '--strict', '--target', 'es2024', '--lib', 'es2024,esnext.disposable,dom', '--types', '',
  '--module', 'preserve', '--allowImportingTsExtensions',
];

/** Every place where what is meant for browsers needs Node. */
export async function browserFaults(file: string = entry): Promise<string[]> {
  const { code, output } = await run('node_modules/.bin/tsc', [...options, file]);
  return code === 0 ? [] : output.trimEnd().split('\n');
}
