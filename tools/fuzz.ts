// ./dev fuzz [name] [--seconds N]: runs fuzz/<name>.ts, or all of them; the seconds (60) are shared out among them.
import { parseArgs } from 'node:util';
import { find } from './files.ts';
import { runAttached } from './run.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } },
});
const fuzzers = find('fuzz/*.ts').filter((path) => !path.endsWith('.test.ts'));
const [name] = positionals;
const chosen = name === undefined ? fuzzers : fuzzers.filter((path) => path === `fuzz/${name}.ts`);
const seconds = Number(values.seconds) / Math.max(1, chosen.length);

if (chosen.length === 0 || !(seconds > 0)) {
  console.log(`./dev fuzz [name] [--seconds N]; names: ${fuzzers.map((path) => path.slice('fuzz/'.length, -'.ts'.length)).join(' ') || 'none'}`);
  process.exitCode = 1;
} else {
  for (const path of chosen) {
    console.log(`${path}: ${seconds} s`);
    const seed = values.seed === undefined ? [] : ['--seed', values.seed];
    process.exitCode = (await runAttached(process.execPath, [path, '--seconds', String(seconds), ...seed])) || process.exitCode || 0;
  }
}
