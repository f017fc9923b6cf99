/**
 * ./dev bench network [--quick] [--json]: Delos and podman start the same image without a network and on a bridge, in turns; and what goes
 * through the bridge between two containers, by iperf3.
 */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeBundle } from '../test/support/bundle.ts';
import { root } from '../tools/files.ts';
import { find } from './containers/runtimes.ts';
import { interleaved, median, type Contestant, type Sample } from './containers/sample.ts';
import { enterStage, progress } from './containers/stage.ts';
import { Timer } from './containers/timer.ts';

const delosCommand = [path.join(root, 'build/node'), path.join(root, 'build/delos.cjs')];
const networks = ['none', 'bridge'] as const;
/** Of one measurement of throughput. */
const SECONDS = 3;

/** An engine's `run`, with the root file system it is given. */
interface Engine {
  readonly name: string;
  run(network: string, rootfs: string, ...command: readonly string[]): string[];
}

function engines(folder: string): Engine[] {
  const delos: Engine = {
    name: 'delos', run: (network, rootfs, ...command) => [...delosCommand, '--root', `${folder}/delos`, '--runroot', `${folder}/run`, 'run', '--rm', '--network', network, rootfs, ...command],
  };
  const podman = find('podman');
  if (podman === undefined) return [delos];
  const global = ['--root', `${folder}/podman`, '--runroot', `${folder}/podman-run`, '--cgroup-manager', 'cgroupfs'];
  // This class of machine gives nobody the limits that podman asks for by itself.
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000'];
  return [delos, { name: 'podman', run: (network, rootfs, ...command) => [podman, ...global, 'run', '--rm', ...limits, '--network', network, '--rootfs', `${rootfs}:O`, ...command] }];
}

function starts(timer: Timer, folder: string, rootfs: string): Contestant[] {
  return networks.flatMap((network) => engines(folder).map(({ name, run }) => ({ name: `${name} run --network ${network}`, measure: () => timer.run(run(network, rootfs, '/bin/true')) })));
}

/** Gigabits a second from one container of the bridge to another. */
async function throughput({ run }: Engine): Promise<number> {
  const [server = '', ...words] = run('bridge', '/', 'sh', '-c', 'hostname -i; exec iperf3 -s -1');
  const child = spawn(server, words, { stdio: ['ignore', 'pipe', 'ignore'] });
  const [address = ''] = String(await new Promise((resolve) => child.stdout.once('data', resolve))).split(/\s/);
  await sleep(500);
  const [client = '', ...rest] = run('bridge', '/', 'iperf3', '-c', address, '-t', String(SECONDS), '-J');
  const { end } = JSON.parse(execFileSync(client, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })) as { end: { sum_received: { bits_per_second: number } } };
  return end.sum_received.bits_per_second / 1e9;
}

async function throughputs(folder: string, rounds: number): Promise<{ name: string; gigabits: number }[]> {
  if (find('iperf3') === undefined) return [];
  const measured = engines(folder).map(({ name }): { name: string; all: number[] } => ({ name, all: [] }));
  for (let round = 0; round < rounds; round++) for (const [index, engine] of engines(folder).entries()) measured[index]?.all.push(await throughput(engine));
  return measured.map(({ name, all }) => ({ name, gigabits: median(all) }));
}

function textOf(samples: readonly Sample[], rates: readonly { name: string; gigabits: number }[]): string {
  const row = (name: string, cells: readonly string[]): string => `${name.padEnd(32)}${cells.map((cell) => cell.padStart(12)).join('')}`;
  const timeOf = (name: string): number => samples.find((sample) => sample.name === name)?.medianMs ?? Number.NaN;
  return [
    row('run true', ['median ms', 'min ms', 'peak kB']),
    ...samples.map(({ name, medianMs, minMs, peakKb }) => row(name, [medianMs.toFixed(1), minMs.toFixed(1), String(peakKb)])),
    `delos / podman on a bridge: ${(timeOf('delos run --network bridge') / timeOf('podman run --network bridge')).toFixed(2)} of at most 0.4`, '',
    row('between two containers', ['Gbit/s']), ...rates.map(({ name, gigabits }) => row(name, [gigabits.toFixed(2)])),
  ].join('\n');
}

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'boolean' } } });
enterStage();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-bench-'));
try {
  using timer = new Timer();
  using bundle = makeBundle();
  progress('starts');
  const samples = await interleaved(starts(timer, folder, bundle.rootfs), values.quick ? 5 : 20, 2);
  progress('throughput');
  const rates = await throughputs(folder, values.quick ? 1 : 3);
  console.log(values.json ? JSON.stringify({ samples, rates }, null, 2) : textOf(samples, rates));
} finally {
  execFileSync('sh', ['-c', 'grep -o " $1/[^ ]*" /proc/self/mountinfo | xargs -r umount -l; rm -rf "$1"', 'sh', folder]);
}
process.exit(0);
