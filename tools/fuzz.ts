// ./dev fuzz [name] [--seconds N]: runs fuzz/<name>.ts, or all of them; the seconds (60) are shared out among them. What one of them alone knows is handed on.
import { parseArgs } from 'node:util';
import { find } from './files.ts';
import { runAttached } from './run.ts';

const { values, positionals, tokens } = parseArgs({
  allowPositionals: true, strict: false, tokens: true,
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, cases: { type: 'string' }, json: { type: 'boolean' } },
});
const fuzzers = find('fuzz/*.ts').filter((path) => !path.endsWith('.test.ts'));
const [name] = positionals;
const chosen = name === undefined ? fuzzers : fuzzers.filter((path) => path === `fuzz/${name}.ts`);
const seconds = Number(values['seconds'] ?? 60) / Math.max(1, chosen.length);
/** Without end where it is cases that are counted. */
const limit = values['seconds'] === undefined && values['cases'] !== undefined ? [] : ['--seconds', String(seconds)];
const others = tokens.flatMap((token) => (token.kind === 'option' && token.name !== 'seconds' ? [token.rawName, ...(token.value === undefined ? [] : [token.value])] : []));

if (chosen.length === 0 || !(seconds > 0)) {
  console.log(`./dev fuzz [name] [--seconds N] [--seed N]; names: ${fuzzers.map((path) => path.slice('fuzz/'.length, -'.ts'.length)).join(' ') || 'none'}`);
  process.exitCode = 1;
} else {
  for (const path of chosen) {
    if (!others.includes('--json')) console.log(`${path}: ${limit[1] ?? 'any number of'} s`);
    process.exitCode = (await runAttached(process.execPath, [path, ...limit, ...others])) || process.exitCode || 0;
  }
}
