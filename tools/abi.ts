// ./dev abi: everything that src/abi says of the kernel, held against the C headers of this machine.
import { verifyColumns, verifyExports } from './abi/verify.ts';

const verdicts = [await verifyExports(), await verifyColumns()];
const other = verdicts.flatMap((verdict) => verdict.other);
const unknown = verdicts.flatMap((verdict) => verdict.unknown);
const same = verdicts.reduce((sum, verdict) => sum + verdict.same.length, 0);

for (const { source, expression, expected } of other) console.log(`DIFFERS ${source}: the headers do not have ${expression} = ${expected}`);
for (const [file, facts] of Map.groupBy(unknown, ({ source }) => source.slice(0, source.indexOf(':')))) {
  console.log(`not in the headers, ${file}: ${facts.map(({ source }) => source.slice(file.length + 2)).join(' ')}`);
}
console.log(`${same} as in the headers, ${other.length} differ, ${unknown.length} not in them`);
process.exitCode = other.length === 0 ? 0 : 1;
