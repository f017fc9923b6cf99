// ./dev test [kind] [name]: unit tests side by side, tests of the kernel one file at a time and virtual machines beside them, one report.
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { find, root } from './files.ts';
import { Report } from './reporter.ts';
import type { TestEvent } from './reporter.ts';

/** A file that takes longer hangs: it is stopped and counts as cancelled. An emulated machine takes what it takes. */
const fileTimeoutMs = (file: string): number => (laneOf(file) === 'vm' ? 900_000 : file.startsWith('test/kernels/') ? 1_800_000 : 300_000);

/** The test files of a kind: those beside the sources are `unit`, every folder of test/ is a kind of its own. */
function filesOf(kind: string): string[] {
  return kind === 'unit' ? find('src/**/*.test.ts', 'tools/**/*.test.ts') : find(`test/${kind}/**/*.test.ts`);
}

function kinds(): string[] {
  const folders = readdirSync(join(root, 'test'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return ['unit', ...folders.map((entry) => entry.name).sort()];
}

/** Kinds that take many minutes: they are run when they are asked for by name. */
const slowKinds: readonly string[] = ['kernels', 'nested'];

/** Runs one file in a process of its own. A run for each file, because node:test cannot stop a single file of a larger run. */
async function runFile(file: string, namePattern: RegExp | undefined): Promise<TestEvent[]> {
  const options = { files: [join(root, file)], signal: AbortSignal.timeout(fileTimeoutMs(file)) };
  const events: TestEvent[] = [];
  for await (const event of run(namePattern === undefined ? options : { ...options, testNamePatterns: namePattern })) {
    events.push(event as TestEvent);
  }
  return events;
}

/**
 * Runs the files, `workers` at a time, and prints what became of each when it has ended.
 * @param waiting is emptied; two may take from one list
 * @param again where a file goes that has failed and is to be run again, alone; without it a failure is final
 */
async function runFiles(report: Report, waiting: string[], workers: number, namePattern: RegExp | undefined, again?: string[]): Promise<void> {
  const work = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const events = await runFile(file, namePattern);
      const second = again !== undefined && again.length < mostAgain && events.some(({ type }) => type === 'test:fail');
      if (second) again.push(file);
      process.stdout.write(second ? report.failedOnce(events) : events.map((event) => report.take(event)).join(''));
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
}

/** More files than this do not fail by chance. */
const mostAgain = 5;

/** The files to run, and what to look for in the names of their tests when the name is no part of any file's path. */
function select(chosen: readonly string[], name: string | undefined): { files: string[]; pattern: RegExp | undefined } {
  const all = chosen.flatMap(filesOf);
  if (name === undefined) return { files: all, pattern: undefined };
  const files = all.filter((file) => file.includes(name));
  if (files.length > 0) return { files, pattern: undefined };
  return { files: all, pattern: new RegExp(name.replace(/[^\w\s]/g, '\\$&')) };
}

/** Those that take minutes, the longest first; so that none of them is the last to be begun. */
const long = ['containers', 'network', 'everyday', 'integration'];

function longestFirst(files: readonly string[]): string[] {
  const place = (file: string): number => {
    const found = long.findIndex((name) => file === `test/vm/${name}.test.ts`);
    return found < 0 ? long.length : found;
  };
  return files.toSorted((a, b) => place(a) - place(b));
}

/** These have folders, registries and network namespaces of their own, so nothing of the kernel is shared with others. */
const apart = /^test\/integration\/(?:build|cni|delos-cni|image|layers|network|registry)[\w-]*\.test\.ts$/;

function laneOf(file: string): 'unit' | 'vm' | 'kernel' {
  if (!file.startsWith('test/')) return 'unit';
  return /^test\/(?:vm|nested)\//.test(file) ? 'vm' : 'kernel';
}

// As it is used: stripping the types of all its files would take a third of a second a command.
process.env['DELOS_TEST_RUNTIME'] ??= `${join(root, 'build/node')} ${join(root, 'build/delos-oci.cjs')}`;

// Types are stripped once for all the files that import a source, in this run and in the next; the guests of test/vm read it too.
process.env['NODE_COMPILE_CACHE'] ??= join(root, 'build/cache/test');

async function main(args: readonly string[]): Promise<boolean> {
  const known = kinds();
  const kind = known.includes(args[0] ?? '') ? args[0] : undefined;
  const chosen = kind === undefined ? known.filter((each) => !slowKinds.includes(each)) : [kind];
  const { files, pattern } = select(chosen, kind === undefined ? args[0] : args[1]);
  const report = new Report(root);
  const start = performance.now();
  const { unit = [], vm = [], kernel = [] } = Object.groupBy(files, laneOf);
  await runFiles(report, unit, availableParallelism(), pattern);
  // This kernel's state is shared (cgroups, mounts, timings), so its tests do not run beside each other. A virtual machine has its own.
  const [shared, own] = [kernel.filter((file) => !apart.test(file)), kernel.filter((file) => apart.test(file))];
  // Two lanes on a busy machine: what lost a race there is told, and has to pass alone. A unit test has no such excuse.
  const again: string[] = [];
  // The lane that is through first helps the other as far as it may: no processor waits while there is a file that shares nothing.
  const anywhere = [...longestFirst(vm), ...own];
  await Promise.all([runFiles(report, shared, 1, pattern, again).then(() => runFiles(report, anywhere, 1, pattern, again)), runFiles(report, anywhere, 1, pattern, again)]);
  await runFiles(report, again, 1, pattern);
  process.stdout.write(report.close(performance.now() - start));
  if (report.totals.tests === 0) process.stdout.write(`no test matches; kinds: ${known.join(' ')}\n`);
  return report.ok && report.totals.tests > 0;
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
