import type { Invocation } from '../../vocabulary/flags.ts';
import { checks, type Finding } from './checks.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { doctorFlags } from './flags.ts';

const marks: Readonly<Record<Finding['state'], string>> = { fine: 'ok', limited: '--', missing: 'NO' };

/** `delos doctor`: what this host can do. 1 when containers cannot be run here. */
export async function run({ flags, globals }: Invocation<typeof doctorFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const findings: (Finding & { readonly name: string })[] = [];
  for (const check of checks) findings.push({ name: check.name, ...(await check.look(places)) });
  const isWell = findings.every(({ state }) => state !== 'missing');
  if (flags.json) process.stdout.write(`${JSON.stringify({ ok: isWell, checks: findings }, null, 2)}\n`);
  else for (const finding of findings) process.stdout.write(lines(finding));
  return isWell ? 0 : 1;
}

function lines({ name, state, found, remedy }: Finding & { readonly name: string }): string {
  const indent = ' '.repeat(23);
  return `${marks[state]}  ${name.padEnd(18)} ${found}\n${remedy === undefined ? '' : `${indent}${remedy}\n`}`;
}
