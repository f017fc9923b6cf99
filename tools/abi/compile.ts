import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../run.ts';
import type { Fact } from './facts.ts';

export interface Verdict {
  /** The header says the same. */
  same: Fact[];
  /** The header says something else. */
  other: Fact[];
  /** The header does not know it. */
  unknown: Fact[];
}

/** One line of C for each fact, so that the line of a message tells the fact. Where nothing is expected, anything that compiles differs. */
function line({ expression, expected }: Fact): string {
  return `_Static_assert(${expected === 'undefined' ? `(${expression}) != (${expression})` : `(long long)(${expression}) == ${expected}LL`}, "differs");`;
}

/**
 * Compiles the facts as static assertions against C headers.
 * Throws when the compiler says anything that belongs to no fact, such as a header that is missing.
 * @param headers what to include, as between the brackets of #include
 * @param flags more for the compiler: the macro by which a header chooses another ABI
 */
export async function compile(facts: readonly Fact[], headers: readonly string[], ...flags: string[]): Promise<Verdict> {
  const before = ['#define _GNU_SOURCE', ...headers.map((header) => `#include <${header}>`)];
  const folder = mkdtempSync(join(tmpdir(), 'delos-abi-'));
  try {
    const path = join(folder, 'facts.c');
    writeFileSync(path, `${[...before, ...facts.map(line)].join('\n')}\n`);
    const syntaxOnly = ['-std=gnu11', '-fsyntax-only', '-fmax-errors=0', '-fno-diagnostics-show-caret'];
    const { output } = await run('cc', [...syntaxOnly, ...flags, path], { ...process.env, LC_ALL: 'C' });
    return sort(facts, output, before.length + 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function sort(facts: readonly Fact[], output: string, firstLine: number): Verdict {
  const other = new Set<Fact>();
  const unknown = new Set<Fact>();
  for (const [text, number, message] of output.matchAll(/^.*?:(\d+):\d+: (?:fatal )?error: (.*)$/gm)) {
    const fact = facts[Number(number) - firstLine];
    if (fact === undefined || !text.includes('facts.c:')) throw new Error(`the headers do not compile: ${text}`);
    if ((message as string).includes('static assertion failed')) other.add(fact);
    else if (fact.expected !== 'undefined') unknown.add(fact);
  }
  return { same: facts.filter((fact) => !other.has(fact) && !unknown.has(fact)), other: [...other], unknown: [...unknown] };
}
