import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { errnoOf } from '../../cgroup/control-file.ts';
import { DelosError } from '../../lib/errors.ts';
import { nearest } from '../../vocabulary/nearest.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { grade, type Grade } from '../../westworld/grading/grade.ts';
import { forbiddenIn } from '../../westworld/grading/norm.ts';
import { spec } from '../../westworld/grading/spec.ts';
import type { Solution } from '../../westworld/hypervisor-sim.ts';
import { reference } from '../../westworld/link.ts';
import { solutions } from '../../westworld/solutions/index.ts';
import type { globalFlags } from './context.ts';
import type { westworldTestFlags } from './westworld.ts';

/** `delos westworld test`: a solution's report. 1 when it does not pass. */
export async function run({ flags, positional: [word = 'reference'] }: Invocation<typeof westworldTestFlags, typeof globalFlags>): Promise<number> {
  const graded = /[./]/.test(word) ? gradeFile(word) : grade(named(word));
  process.stdout.write(flags.json ? `${JSON.stringify(flat(graded), null, 2)}\n` : report(graded));
  return graded.passed ? 0 : 1;
}

function named(word: string): Solution {
  const found = solutions.find(({ name }) => name === word);
  if (found !== undefined) return found.solution;
  const near = nearest(word, solutions.map(({ name }) => name));
  throw new DelosError('bad-usage', `there is no solution '${word}'${near === undefined ? '; a file has a / or a . in its name' : `, did you mean '${near}'?`}`);
}

/** A module that exports some of the exercise's functions. It is run only when its text holds nothing that the norm forbids. */
function gradeFile(file: string): Grade {
  const forbidden = forbiddenIn(textOf(file));
  if (forbidden.length > 0) return grade({}, forbidden);
  const own = Object.entries(loaded(path.resolve(file))).filter(([name, part]) => name in reference && typeof part === 'function');
  if (own.length === 0) throw new DelosError('bad-usage', `${file}: exports none of the exercise's functions, such as ford_creates_host`);
  return grade(Object.fromEntries(own) as Solution);
}

/** Not by import(): the built program is run as a script of V8's, where there is none. */
function loaded(file: string): Record<string, unknown> {
  try {
    return createRequire(file)(file) as Record<string, unknown>;
  } catch (cause) {
    const [what = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    throw new DelosError('bad-usage', `${file}: can't be loaded: ${what}`, { cause });
  }
}

function textOf(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (cause) {
    throw new DelosError('io', `${file}: cannot be read: ${errnoOf(cause) ?? (cause as Error).message}`, { cause });
  }
}

function report({ groups, forbidden, score, passed }: Grade): string {
  const parts = groups.map(({ heading, results }) => `${heading}\n${results.map(({ check, fault }) => {
    const points = check.points === undefined ? '' : ` (${fault === undefined ? check.points : 0}/${check.points})`;
    return `  ${fault === undefined ? 'ok' : 'NO'}  ${check.name}${points}${check.trap === true ? ' [trap]' : ''}${fault === undefined ? '' : `: ${fault}`}\n`;
  }).join('')}\n`);
  if (forbidden.length > 0) parts.push(`Forbidden: ${forbidden.join(', ')}. It was not run.\n\n`);
  return `${parts.join('')}${score}/100, ${passed ? 'passed' : `failed (${spec.passing_score} and nothing wrong are needed)`}\n`;
}

function flat({ groups, forbidden, score, passed }: Grade): object {
  const checks = groups.flatMap(({ heading, results }) => results.map(({ check: { name, points }, fault }) => ({ group: heading, name, points, fault })));
  return { score, passed, forbidden, checks };
}
