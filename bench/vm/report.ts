import type { ExitRow } from './exits.ts';
import type { BootRow } from './linux.ts';
import { delos, interpreterAlone, type Absent } from './machines.ts';
import type { MemoryRow } from './memory.ts';
import type { RegionRow } from './regions.ts';
import type { SpeedRow } from './instructions.ts';
import type { StartRow } from './start.ts';
import type { RestoreRow } from './snapshot.ts';

export interface Report {
  readonly host: string;
  /** Who took part, with version. */
  readonly programs: readonly string[];
  readonly absent: readonly Absent[];
  readonly notes: readonly string[];
  readonly speeds: readonly SpeedRow[];
  readonly boots: readonly BootRow[];
  readonly memory: readonly MemoryRow[];
  readonly exits: readonly ExitRow[];
  readonly restores: readonly RestoreRow[];
  readonly monitorStarts: readonly StartRow[];
  readonly regions: readonly RegionRow[];
}

/** The whole report for people. */
export function textOf({ host, programs, absent, notes, speeds, boots, memory, exits, restores, monitorStarts, regions }: Report): string {
  return [
    host, ...programs, ...absent.map(({ name, why }) => `${name}: ${why}`), ...notes,
    ...speedLines(speeds, 64), ...speedLines(speeds, 32), ...bootLines(boots), ...memoryLines(memory), ...exitLines(exits), ...restoreLines(restores), ...startLines(monitorStarts),
    ...regionLines(regions),
  ].join('\n');
}

function speedLines(all: readonly SpeedRow[], bits: number): string[] {
  const rows = all.filter((row) => row.bits === bits);
  const [first] = rows;
  if (first === undefined) return [];
  const names = Object.keys(first.speeds);
  const peers = names.filter((name) => name !== delos && name !== interpreterAlone);
  const lines = rows.map(({ workload, instructions, speeds, atLeast }) => {
    const each = names.map((name) => both(speeds[name]));
    const ratio = (name: string, peer: string): string => ((speeds[name]?.best ?? NaN) / (speeds[peer]?.best ?? NaN)).toFixed(2);
    const ratios = peers.map((peer) => `${ratio(delos, peer)} ${ratio(interpreterAlone, peer)}`);
    const reached = atLeast === undefined ? '' : verdict(speeds[interpreterAlone]?.best ?? 0, atLeast, true);
    return line(`  ${workload}`, [(instructions / 1e6).toFixed(1), ...each, ...ratios], workloadWidth) + reached;
  });
  const title = `Million instructions a second, ${bits}-bit code: best (median), and both of ours through each peer's`;
  return ['', title, line('', ['10^6', ...names, ...peers.map((peer) => `/ ${peer}`)], workloadWidth), ...lines];
}

const both = (speed: SpeedRow['speeds'][string] | undefined): string => (speed === undefined ? '' : `${speed.best.toFixed(0)} (${speed.median.toFixed(0)})`);

function bootLines(rows: readonly BootRow[]): string[] {
  if (rows.length === 0) return [];
  const lines = rows.map(({ name, seconds, atMost }) => {
    const [least, middle] = [Math.min(...seconds), seconds.toSorted((a, b) => a - b)[seconds.length >> 1] ?? NaN];
    return line(`  ${name}`, [least.toFixed(1), middle.toFixed(1), `${seconds.length}`]) + (atMost === undefined ? '' : verdict(least, atMost, false));
  });
  return ['', line("Debian's cloud kernel and busybox: from the start of the process to READY, s", ['min', 'median', 'runs']), ...lines];
}

function memoryLines(rows: readonly MemoryRow[]): string[] {
  if (rows.length === 0) return [];
  const lines = rows.map(({ name, peakKb, guestKb }) => line(`  ${name}`, [peakKb, guestKb, peakKb - guestKb].map((kb) => `${kb}`)));
  return ['', line('Memory of a process with an idle guest, kB', ['peak', 'the guest', 'beyond it']), ...lines];
}

function exitLines(rows: readonly ExitRow[]): string[] {
  if (rows.length === 0) return [];
  const lines = rows.map(({ name, c, delos, target }) => (
    line(`  ${name}`, [c, delos, delos - c].map((ns) => ns.toFixed(0))) + (target === undefined ? '' : verdict(delos - c, target, false))
  ));
  return ['', line('An exit from KVM, ns, least of all rounds', ['C', 'delos', 'added']), ...lines];
}

function regionLines(rows: readonly RegionRow[]): string[] {
  if (rows.length === 0) return [];
  const lines = rows.map(({ name, native, interpreter, regions, mips }) => (
    line(`  ${name}`, [...[native, interpreter, regions].map((ns) => ns.toFixed(2)), ...[mips.interpreter, mips.regions].map((speed) => speed.toFixed(0))])
  ));
  return ['', line('A turn of a hot loop, ns, least of all rounds; millions of instructions a second', ['native', 'interpreter', 'regions', 'interpreter', 'regions']), ...lines];
}

function restoreLines(rows: readonly RestoreRow[]): string[] {
  if (rows.length === 0) return [];
  const lines = rows.map(({ name, milliseconds }) => {
    const sorted = milliseconds.toSorted((a, b) => a - b);
    return line(`  ${name}`, [(sorted[0] ?? NaN).toFixed(1), (sorted[sorted.length >> 1] ?? NaN).toFixed(1), `${sorted.length}`]);
  });
  return ['', line('A machine of 1 GiB from a file: up to the first byte that its guest writes, ms', ['min', 'median', 'runs']), ...lines];
}

function startLines(rows: readonly StartRow[]): string[] {
  if (rows.length === 0) return [];
  const lines = rows.map(({ name, milliseconds }) => {
    const sorted = milliseconds.toSorted((a, b) => a - b);
    return line(`  ${name}`, [(sorted[0] ?? NaN).toFixed(1), (sorted[sorted.length >> 1] ?? NaN).toFixed(1), `${sorted.length}`]);
  });
  return ['', line('From the start of a process to the first byte of a small bzImage, ms', ['min', 'median', 'runs']), ...lines];
}

function verdict(measured: number, bound: number, least: boolean): string {
  const met = least ? measured >= bound : measured <= bound;
  return `  (at ${least ? 'least' : 'most'} ${bound}: ${met ? 'reached' : 'MISSED'})`;
}

const workloadWidth = 22;

function line(name: string, columns: readonly string[], width = 76): string {
  return `${name.padEnd(width)}${columns.map((text) => text.padStart(14)).join('')}`.trimEnd();
}

/** The part of it that stands in README.md. */
export function markdownOf({ host, programs, absent, speeds, boots, memory }: Report): string {
  const names = [...new Set(speeds.flatMap((row) => Object.keys(row.speeds)))];
  const rows = speeds.map(({ workload, bits, speeds: each }) => `| ${workload}, ${bits} bits | ${names.map((name) => each[name]?.best.toFixed(0) ?? '').join(' | ')} |`);
  const boot = boots.map(({ name, seconds }) => `${name} ${Math.min(...seconds).toFixed(1)}`).join(', ');
  const held = memory.map(({ name, peakKb, guestKb }) => `${name} ${((peakKb - guestKb) / 1024).toFixed(0)}`).join(', ');
  return [
    `| million guest instructions a second | ${names.join(' | ')} |`, `| --- |${names.map(() => ' ---: |').join('')}`, ...rows,
    '', `Debian's cloud kernel to a shell, seconds: ${boot}.`, `Memory of the process beyond the guest's own, MiB: ${held}.`,
    '', `${[host, ...programs, ...absent.map(({ name, why }) => `${name}: ${why}`)].join('; ')}.`,
  ].join('\n');
}
