// ./dev bench [name]: runs bench/<name>.ts, or all of them one after the other, with everything after the name handed on.
import { find } from './files.ts';
import { runAttached } from './run.ts';

const benches = find('bench/*.ts').filter((path) => !path.endsWith('.test.ts'));
const [name, ...rest] = process.argv.slice(2);
const chosen = name === undefined ? benches : benches.filter((path) => path === `bench/${name}.ts`);

if (chosen.length === 0) {
  console.log(`there is no bench '${name ?? ''}'; there are: ${benches.map((path) => path.slice('bench/'.length, -'.ts'.length)).join(' ') || 'none'}`);
  process.exitCode = 1;
}
for (const path of chosen) process.exitCode = (await runAttached(process.execPath, [path, ...rest])) || process.exitCode || 0;
