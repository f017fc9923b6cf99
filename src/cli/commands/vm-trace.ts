import { ExitTable, type ExitCount } from '../../machine/trace/exit-table.ts';
import type { ExitKind } from '../../machine/trace/exit.ts';
import { tracedEngine } from '../../machine/trace/traced.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { alignColumns } from '../../vocabulary/table.ts';
import type { globalFlags } from './context.ts';
import { runMachine } from './vm-run.ts';
import type { vmTraceFlags } from './vm.ts';

/** What a kind means, in the words of the courses' VcpuExit. */
const meanings: Readonly<Record<ExitKind, string>> = {
  IoIn: 'the guest reads a port', IoOut: 'the guest writes to a port', MmioRead: 'it reads a device in memory', MmioWrite: 'it writes to a device in memory',
  Hlt: 'it waits for an interrupt', Shutdown: 'a triple fault', Cpuid: 'it asks what processor it has', MsrRead: 'RDMSR', MsrWrite: 'WRMSR',
  IrqWindow: 'an interrupt is brought in', Intr: 'the host has something else to do', Unknown: 'anything else',
};

const mostPlaces = 12;

/** `delos vm trace`: runs a machine, and at its end, or when it is interrupted, tells how often it asked for what, and how long that took. */
export async function run({ flags }: Invocation<typeof vmTraceFlags, typeof globalFlags>): Promise<number> {
  const table = new ExitTable();
  const begun = performance.now();
  let engineName = '';
  const code = await runMachine(flags, {
    isInterruptible: true, ...(flags.json && { output: process.stderr }),
    wrap(engine) {
      engineName = engine.name;
      return tracedEngine(engine, { exit: (exit) => table.add(exit) });
    },
  });
  const seconds = (performance.now() - begun) / 1000;
  process.stdout.write(flags.json ? `${JSON.stringify(asJson(table, engineName, seconds), null, 2)}\n` : asText(table, engineName, seconds));
  return code;
}

/** Times are of nanoseconds. */
function asJson(table: ExitTable, engine: string, seconds: number): unknown {
  const shown = ({ kind, place, device, count, total, least, most }: ExitCount): unknown => ({
    exit: kind, ...(place !== '' && { place }), ...(device !== undefined && { device }), count, nanoseconds: Math.round(total), least: Math.round(least), most: Math.round(most),
  });
  return { engine, seconds, exits: sum(table.kinds, 'count'), kinds: table.kinds.map(shown), places: table.places.map(shown) };
}

const sum = (rows: readonly ExitCount[], what: 'count' | 'total'): number => rows.reduce((all, row) => all + row[what], 0);

function asText(table: ExitTable, engine: string, seconds: number): string {
  const { kinds, places } = table;
  const [count, total] = [sum(kinds, 'count'), sum(kinds, 'total')];
  const rows = kinds.map((row) => [row.kind, ...numbers(row, count, total), meanings[row.kind]]);
  const shown = places.slice(0, mostPlaces).map((row) => [row.kind, row.place, row.device ?? '-', `${row.count}`, timeText(row.total)]);
  return [
    `\nVM exits on ${engine}: ${count} in ${seconds.toFixed(2)} s\n`,
    alignColumns([['EXIT', 'COUNT', 'SHARE', 'TIME', 'SHARE', 'LEAST', 'MOST', 'AVERAGE', 'WHY'], ...rows], { minWidth: 8, padding: 2 }),
    ...(shown.length === 0 ? [] : ['\n', alignColumns([['EXIT', 'WHERE', 'DEVICE', 'COUNT', 'TIME'], ...shown], { minWidth: 8, padding: 2 })]),
    ...(places.length > mostPlaces ? [`and ${places.length - mostPlaces} other places\n`] : []),
    ...(engine === 'kvm' ? ['Only exits to this process: CPUID, most MSRs and page faults are answered in the kernel.\n'] : []),
  ].join('');
}

function numbers({ count, total, least, most }: ExitCount, all: number, time: number): string[] {
  return [`${count}`, percent(count, all), timeText(total), percent(total, time), timeText(least), timeText(most), timeText(total / count)];
}

const percent = (part: number, whole: number): string => (whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)}%`);

/** Of nanoseconds, in the unit that gives one to three digits before the point; what takes no time worth to be measured has none. */
function timeText(nanoseconds: number): string {
  if (nanoseconds === 0) return '-';
  const [unit, divisor] = nanoseconds >= 1e9 ? ['s', 1e9] : nanoseconds >= 1e6 ? ['ms', 1e6] : nanoseconds >= 1e3 ? ['us', 1e3] : ['ns', 1];
  return `${(nanoseconds / divisor).toFixed(unit === 'ns' ? 0 : 1)} ${unit}`;
}
