import { alignColumns } from '../../vocabulary/table.ts';
import { grade, type Grade } from '../../westworld/grading/grade.ts';
import { solutions } from '../../westworld/solutions/index.ts';

/** `delos westworld mutants`: tests the tests. 1 when a right solution fails or a wrong one passes. */
export async function run(): Promise<number> {
  const graded = solutions.map((entry) => ({ ...entry, grade: grade(entry.solution) }));
  const rows = graded.map(({ name, passes, about, grade }) => [name, verdict(passes, grade), about, passes ? '' : killer(grade)]);
  process.stdout.write(alignColumns([['SOLUTION', 'RESULT', 'ABOUT', 'KILLED BY'], ...rows]));
  const wrong = graded.filter(({ passes, grade }) => passes !== grade.passed).length;
  process.stdout.write(`\n${graded.length - wrong}/${graded.length} as expected\n`);
  return wrong === 0 ? 0 : 1;
}

function verdict(passes: boolean, { passed }: Grade): string {
  if (passes) return passed ? 'passes' : 'FAILS';
  return passed ? 'SURVIVES' : 'killed';
}

function killer({ groups, forbidden }: Grade): string {
  const first = groups.flatMap(({ results }) => results).find(({ fault }) => fault !== undefined);
  return first?.check.name ?? `the norm: ${forbidden.join(', ')}`;
}
