import path from 'node:path';

/**
 * The folder of what `./dev build` makes: executor, addon, bundles. A bundle lies in it itself; a source file run by Node's type
 * stripping lies in src/sys.
 */
export function buildFolder(): string {
  const here = import.meta.dirname ?? __dirname;
  return path.basename(here) === 'sys' ? path.resolve(here, '../../build') : here;
}
