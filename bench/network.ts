/**
 * ./dev bench network [--quick] [--json]: Delos and podman start the same image without a network and on a bridge, in turns; what goes through the
 * bridge between two containers, and out of one of an ordinary user's, by iperf3; and how long a container waits for the address of a name.
 */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeBundle } from '../test/support/bundle.ts';
import { find } from './containers/runtimes.ts';
import { interleaved, median, type Contestant, type Sample } from './containers/sample.ts';
import { enterStage, progress } from './containers/stage.ts';
import { Timer } from './containers/timer.ts';
import { engines, type Engine } from './network/engines.ts';
import { nameTime } from './network/names.ts';
import { iperfArguments, rateOf } from './network/rate.ts';
import { rootlessRates } from './network/rootless.ts';

const networks = ['none', 'bridge'] as const;

/** A median by the name of who was measured. */
interface Figure {
  readonly name: string;
  readonly value: number;
}

interface Report {
  readonly starts: readonly Sample[];
  /** Gigabits a second. */
  readonly bridge: readonly Figure[];
  readonly rootless: readonly Figure[];
  /** Milliseconds. */
  readonly names: readonly Figure[];
}

function starts(timer: Timer, folder: string, rootfs: string): Contestant[] {
  return networks.flatMap((network) => engines(folder).map(({ name, run }) => {
    return { name: `${name} run --network ${network}`, measure: () => timer.run(run(['--rm', '--network', network], rootfs, '/bin/true')) };
  }));
}

/** Gigabits a second from one container of the bridge to another. */
async function throughput({ run }: Engine): Promise<number> {
  const flags = ['--rm', '--network', 'bridge'];
  const [server = '', ...words] = run(flags, '/', 'sh', '-c', 'hostname -i; exec iperf3 -s -1');
  const child = spawn(server, words, { stdio: ['ignore', 'pipe', 'ignore'] });
  const [address = ''] = String(await new Promise((resolve) => child.stdout.once('data', resolve))).split(/\s/);
  await sleep(500);
  const [client = '', ...rest] = run(flags, '/', 'iperf3', ...iperfArguments(address));
  return rateOf(execFileSync(client, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
}

/** The medians of what `measure` gives for all in some rounds. */
async function medians(rounds: number, measure: () => Promise<Figure[]>): Promise<Figure[]> {
  const all: Figure[] = [];
  for (let round = 0; round < rounds; round++) all.push(...(await measure()));
  return [...Map.groupBy(all, ({ name }) => name)].map(([name, figures]) => ({ name, value: median(figures.map(({ value }) => value)) }));
}

async function ofEach(folder: string, measure: (engine: Engine) => number | Promise<number>): Promise<Figure[]> {
  const figures = [];
  for (const engine of engines(folder)) figures.push({ name: engine.name, value: await measure(engine) });
  return figures;
}

async function measure(folder: string, quick: boolean): Promise<Report> {
  using timer = new Timer();
  using bundle = makeBundle();
  const rounds = find('iperf3') === undefined ? 0 : quick ? 1 : 3;
  progress('starts');
  const samples = await interleaved(starts(timer, folder, bundle.rootfs), quick ? 5 : 20, 2);
  progress('throughput of the bridge');
  const bridge = await medians(rounds, () => ofEach(folder, throughput));
  progress('throughput of an ordinary user');
  const rootless = await medians(rounds, async () => (await rootlessRates(folder)).map(({ name, gigabits }) => ({ name, value: gigabits })));
  progress('names');
  return { starts: samples, bridge, rootless, names: await medians(1, () => ofEach(folder, nameTime)) };
}

function row(name: string, cells: readonly string[]): string {
  return `${name.padEnd(32)}${cells.map((cell) => cell.padStart(12)).join('')}`;
}

/** Delos's figure by podman's. */
function ratio(figures: readonly Figure[]): string {
  const [ours, theirs] = ['delos', 'podman'].map((name) => figures.find((figure) => figure.name === name)?.value);
  return ours === undefined || theirs === undefined ? '' : (ours / theirs).toFixed(2);
}

function section(title: string, unit: string, figures: readonly Figure[], goal: string): string[] {
  if (figures.length === 0) return [];
  return ['', row(title, [unit]), ...figures.map(({ name, value }) => row(name, [value.toFixed(2)])), `delos / podman: ${ratio(figures)}${goal}`];
}

function textOf({ starts: samples, bridge, rootless, names }: Report): string {
  const bridged = samples.filter(({ name }) => name.endsWith(' bridge')).map(({ name, medianMs }) => ({ name: name.split(' ')[0] ?? '', value: medianMs }));
  return [
    row('run true', ['median ms', 'min ms', 'peak kB']),
    ...samples.map(({ name, medianMs, minMs, peakKb }) => row(name, [medianMs.toFixed(1), minMs.toFixed(1), String(peakKb)])),
    `delos / podman on a bridge: ${ratio(bridged)} of at most 0.4`,
    ...section('between two containers', 'Gbit/s', bridge, ''), ...section('rootless throughput', 'Gbit/s', rootless, ', both through slirp4netns'),
    ...section('DNS answer', 'ms', names, '; at most 1 ms is demanded'),
  ].join('\n');
}

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'boolean' } } });
enterStage();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-bench-'));
try {
  const report = await measure(folder, values.quick === true);
  console.log(values.json ? JSON.stringify(report, null, 2) : textOf(report));
} finally {
  // The bridge would stay for the next container of this folder.
  const [program = '', ...prune] = engines(folder)[0]?.command('network', 'prune') ?? [];
  execFileSync(program, prune, { stdio: 'ignore' });
  execFileSync('sh', ['-c', 'grep -o " $1/[^ ]*" /proc/self/mountinfo | xargs -r umount -l; rm -rf "$1"', 'sh', folder]);
}
process.exit(0);
