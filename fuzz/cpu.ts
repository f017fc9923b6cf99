// ./dev fuzz cpu [--seconds N] [--cases N] [--seed N] [--json]: every user-mode instruction on random states, on this processor through KVM, by emitted code
// and by the oracle. Prints how many cases of each family were compared, and exits with 1 when they differ: for each form the seed and the first case.
import { parseArgs } from 'node:util';
import { whyNotComparable } from '../test/silicon/available.ts';
import { compare, isJudged } from '../test/silicon/compare.ts';
import { Emulated } from '../test/silicon/emulated.ts';
import { families } from '../test/silicon/families.ts';
import { Silicon } from '../test/silicon/silicon.ts';
import { generator } from './support/generator.ts';

/** Of each form, for a seed. */
const perForm = 16;
/** Of so many one is a region as well. */
const casesOfRegions = 199;
/** Lines that are printed of a form that differs. */
const linesOfForm = 6;

interface Count {
  readonly forms: number;
  cases: number;
  exceptions: number;
}

const { values } = parseArgs({ options: { seconds: { type: 'string' }, cases: { type: 'string' }, seed: { type: 'string' }, json: { type: 'boolean', default: false } } });

function run(): void {
  const wanted = values.cases === undefined ? Number.POSITIVE_INFINITY : Number(values.cases);
  const start = performance.now();
  const seconds = values.seconds ?? (values.cases === undefined ? '10' : 'Infinity');
  const end = start + Number(seconds) * 1000;
  const first = values.seed === undefined ? Date.now() >>> 0 : Number(values.seed);
  const counts = new Map<string, Count>(Object.entries(families).map(([family, instructions]) => [family, { forms: instructions.filter(isJudged).length, cases: 0, exceptions: 0 }]));
  const differing = new Map<string, string>();
  using silicon = new Silicon();
  const emulated = new Emulated();
  let seed = first;
  let done = 0;
  do {
    const random = generator(seed);
    for (const [family, instructions] of Object.entries(families)) {
      const { cases, exceptions, faults } = compare(instructions, perForm, () => random(0x100000000), silicon, emulated, casesOfRegions);
      const count = counts.get(family) as Count;
      count.cases += cases;
      count.exceptions += exceptions;
      done += cases;
      for (const [form, lines] of Object.entries(Object.groupBy(faults, (line) => line.split(': ').slice(0, 2).join(': ')))) {
        if (!differing.has(form)) differing.set(form, [`seed ${seed} (again with --seed ${seed} --cases 1):`, ...(lines ?? []).slice(0, linesOfForm)].join('\n  '));
      }
    }
    seed++;
  } while (done < wanted && performance.now() < end);
  report(counts, [...differing.values()], { first, last: seed - 1, seconds: (performance.now() - start) / 1000 });
}

function report(counts: ReadonlyMap<string, Count>, differing: readonly string[], { first, last, seconds }: { first: number; last: number; seconds: number }): void {
  for (const each of differing) console.error(each);
  if (differing.length > 0) process.exitCode = 1;
  const total = { forms: 0, cases: 0, exceptions: 0 };
  for (const count of counts.values()) for (const name of ['forms', 'cases', 'exceptions'] as const) total[name] += count[name];
  if (values.json) return console.log(JSON.stringify({ seeds: [first, last], seconds: Math.round(seconds), differing: differing.length, families: Object.fromEntries(counts), total }));
  const line = (name: string, { forms, cases, exceptions }: Count): string => [name.padEnd(12), ...[forms, cases, exceptions].map((value) => String(value).padStart(11))].join('');
  console.log(['family'.padEnd(12), ...['forms', 'cases', 'exceptions'].map((name) => name.padStart(11))].join(''));
  for (const [name, count] of counts) console.log(line(name, count));
  console.log(line('all', total));
  console.log(`cpu: ${differing.length} forms differ; seeds ${first} to ${last}, ${seconds.toFixed(0)} s`);
}

const missing = whyNotComparable();
if (missing === false) run();
else console.log(`cpu: ${missing}`);
