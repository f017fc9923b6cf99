import fs from 'node:fs';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCgroupStats } from '../../cgroup/stats-read.ts';
import type { CgroupStats } from '../../cgroup/stats.ts';
import { listContainers } from '../../containers/catalogue.ts';
import type { Container } from '../../containers/container.ts';
import type { Places } from '../../containers/places.ts';
import { runtimeRecord, standingOf } from '../../containers/standing.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { shortId } from '../../vocabulary/names.ts';
import { listing, type Column } from '../../vocabulary/table.ts';
import { binarySize, decimalSize } from '../../vocabulary/units.ts';
import { find, placesOf, type globalFlags } from './context.ts';
import type { statsFlags } from './flags.ts';

interface Sample {
  readonly atMs: number;
  readonly stats: CgroupStats;
  readonly network: readonly [received: number, sent: number];
}

interface Row {
  readonly container: Container;
  readonly before?: Sample;
  readonly now?: Sample;
}

/** Between two looks at the processor time. */
const INTERVAL_MS = 1000;

const columns: readonly Column<Row>[] = [
  { field: 'ID', header: 'CONTAINER ID', cell: ({ container: { id } }, noTrunc) => (noTrunc ? id : shortId(id)) },
  { field: 'Name', header: 'NAME', cell: ({ container }) => container.name },
  { field: 'CPUPerc', header: 'CPU %', cell: (row) => `${cpuPercent(row).toFixed(2)}%` },
  { field: 'MemUsage', header: 'MEM USAGE / LIMIT', cell: ({ now }) => `${binarySize(memoryUsed(now))} / ${binarySize(memoryLimit(now))}` },
  { field: 'MemPerc', header: 'MEM %', cell: ({ now }) => `${(100 * memoryUsed(now) / (memoryLimit(now) || 1)).toFixed(2)}%` },
  { field: 'NetIO', header: 'NET I/O', cell: ({ now }) => (now?.network ?? [0, 0]).map((bytes) => decimalSize(bytes)).join(' / ') },
  { field: 'BlockIO', header: 'BLOCK I/O', cell: ({ now }) => `${decimalSize(blockBytes(now, 'Read'))} / ${decimalSize(blockBytes(now, 'Write'))}` },
  { field: 'PIDs', header: 'PIDS', cell: ({ now }) => String(now?.stats.pids.current ?? 0) },
];

/** `delos stats`. On a terminal the table is drawn again and again, until it is interrupted. */
export async function run({ flags, globals, positional }: Invocation<typeof statsFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const chosen = (): Container[] => positional.length > 0 ? positional.map((word) => find(places, word)) : listContainers(places).filter((container) => flags.all || isRunning(places, container));
  let before = samples(places, chosen());
  do {
    await sleep(INTERVAL_MS);
    const containers = chosen();
    const now = samples(places, containers);
    const rows = containers.map((container): Row => ({ container, ...pick('before', before.get(container.id)), ...pick('now', now.get(container.id)) }));
    const table = listing(rows, columns, { format: flags.format, noTrunc: flags['no-trunc'] });
    process.stdout.write(flags['no-stream'] || !process.stdout.isTTY ? table : `\x1b[H\x1b[J${table}`);
    before = now;
  } while (!flags['no-stream']);
  return 0;
}

function pick<Key extends string>(key: Key, sample: Sample | undefined): { [K in Key]?: Sample } {
  return (sample === undefined ? {} : { [key]: sample }) as { [K in Key]?: Sample };
}

function isRunning(places: Places, container: Container): boolean {
  const { status } = standingOf(places, container);
  return status === 'running' || status === 'paused';
}

function samples(places: Places, containers: readonly Container[]): Map<string, Sample> {
  return new Map(containers.flatMap((container): [string, Sample][] => {
    const record = runtimeRecord(places, container.id);
    const { pid } = standingOf(places, container);
    if (record === undefined || pid === 0) return [];
    return [[container.id, { atMs: performance.now(), stats: readCgroupStats(record.cgroup), network: networkBytes(pid) }]];
  }));
}

function cpuPercent({ before, now }: Row): number {
  if (before === undefined || now === undefined) return 0;
  const usedNs = Number((now.stats.cpu.usage.total ?? 0n) - (before.stats.cpu.usage.total ?? 0n));
  return Math.max(0, usedNs / 1e6 / (now.atMs - before.atMs) * 100);
}

/** Without the file cache that could be given back at once, as docker counts. */
function memoryUsed(sample: Sample | undefined): number {
  const memory = sample?.stats.memory;
  const idle = memory?.raw?.['total_inactive_file'] ?? memory?.raw?.['inactive_file'] ?? 0n;
  const used = memory?.usage.usage ?? 0n;
  return Number(idle < used ? used - idle : used);
}

function memoryLimit(sample: Sample | undefined): number {
  return sample === undefined ? 0 : Math.min(Number(sample.stats.memory.usage.limit), os.totalmem());
}

function blockBytes(sample: Sample | undefined, operation: 'Read' | 'Write'): number {
  const counts = sample?.stats.blkio.ioServiceBytesRecursive ?? [];
  return counts.filter(({ op }) => op?.toLowerCase() === operation.toLowerCase()).reduce((sum, { value }) => sum + Number(value ?? 0n), 0);
}

/** Bytes through all devices but the loopback, of the network namespace of a process. proc_pid_net(5) */
function networkBytes(pid: number): [received: number, sent: number] {
  let text: string;
  try {
    text = fs.readFileSync(`/proc/${pid}/net/dev`, 'utf8');
  } catch {
    return [0, 0];
  }
  const devices = [...text.matchAll(/^ *(\S+): *(\d+)(?: +\d+){7} +(\d+)/gm)].filter(([, name]) => name !== 'lo');
  return [2, 3].map((field) => devices.reduce((sum, device) => sum + Number(device[field]), 0)) as [number, number];
}
