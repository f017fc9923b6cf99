/**
 * ./dev bench images [--quick] [--json]: Delos, podman, and skopeo with umoci pull and unpack the same image from a registry on the loopback,
 * in turns, each time into a new store.
 *
 * The image has five layers of 20 MB, half of which can be compressed, and a sixth of many small files.
 */
import { execFileSync, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../tools/files.ts';
import { enterStage, progress } from './containers/stage.ts';
import { find } from './containers/runtimes.ts';
import { interleaved, type Contestant, type Sample } from './containers/sample.ts';
import { Timer } from './containers/timer.ts';

const LAYERS = 5;
const LAYER_BYTES = 20 << 20;
const SMALL_FILES = 2000;
const PORT = 5597;
const delosCommand = [path.join(root, 'build/node'), path.join(root, 'build/delos.cjs')];
const reference = `127.0.0.1:${PORT}/bench:latest`;

/** Pushes the image to the registry with umoci and skopeo. */
function pushImage(folder: string): void {
  const [layout, unpacked] = [path.join(folder, 'layout'), path.join(folder, 'unpacked')];
  const image = `${layout}:bench`;
  const umoci = (...words: string[]): unknown => execFileSync('umoci', words, { stdio: 'pipe' });
  umoci('init', '--layout', layout);
  umoci('new', '--image', image);
  for (let layer = 0; layer <= LAYERS; layer++) {
    umoci('unpack', '--image', image, unpacked);
    const rootfs = path.join(unpacked, 'rootfs');
    if (layer < LAYERS) fs.writeFileSync(path.join(rootfs, `layer-${layer}`), halfRandom(LAYER_BYTES));
    else for (let file = 0; file < SMALL_FILES; file++) writeSmall(rootfs, file);
    umoci('repack', '--image', image, unpacked);
    fs.rmSync(unpacked, { recursive: true });
  }
  execFileSync('skopeo', ['copy', '--dest-tls-verify=false', `oci:${image}`, `docker://${reference}`], { stdio: 'pipe' });
}

function halfRandom(bytes: number): Buffer {
  return Buffer.concat([crypto.randomBytes(bytes / 2), Buffer.alloc(bytes / 2, 'half of it can be compressed ')]);
}

function writeSmall(rootfs: string, file: number): void {
  const folder = path.join(rootfs, 'small', String(file % 50));
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, String(file)), `${file}\n`.repeat(100));
}

/** Each pulls into a folder of its own, which is empty before. */
function contestants(timer: Timer, folder: string): Contestant[] {
  // Nothing is removed before the end: for some seconds ext4 takes a millisecond for each new file where many were removed.
  const pull = (name: string, argv: (store: string) => readonly string[]): Contestant => ({
    name,
    measure: () => timer.run(argv(fs.mkdtempSync(path.join(folder, 'store-')))),
  });
  const peers: Contestant[] = [];
  const podman = find('podman');
  if (podman !== undefined) {
    peers.push(pull('podman pull', (store) => [podman, '--root', `${store}/root`, '--runroot', `${store}/run`, 'pull', '-q', '--tls-verify=false', reference]));
  }
  if (find('umoci') !== undefined) {
    const script = `skopeo copy -q --src-tls-verify=false docker://${reference} oci:$1/oci:bench && umoci unpack --image $1/oci:bench $1/bundle`;
    peers.push(pull('skopeo copy, umoci unpack', (store) => ['/bin/sh', '-c', script, 'sh', store]));
  }
  const delos = pull('delos pull', (store) => [...delosCommand, '--root', store, '--runroot', `${store}/run`, 'pull', '-q', reference]);
  return [delos, ...peers];
}

async function serveRegistry(folder: string): Promise<Disposable> {
  const config = path.join(folder, 'registry.yml');
  fs.writeFileSync(config, `version: 0.1\nstorage: {filesystem: {rootdirectory: ${folder}/registry}}\nhttp: {addr: "127.0.0.1:${PORT}"}\nlog: {level: error}\n`);
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  const answers = (): Promise<boolean> => fetch(`http://127.0.0.1:${PORT}/v2/`).then(({ ok }) => ok, () => false);
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error('docker-registry does not start: is it installed (Debian: docker-registry), and the port free?');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { [Symbol.dispose]: () => void child.kill('SIGKILL') };
}

function textOf(samples: readonly Sample[]): string {
  const others = samples.slice(1).map(({ medianMs }) => medianMs);
  const row = (name: string, cells: readonly string[]): string => `${name.padEnd(32)}${cells.map((cell) => cell.padStart(12)).join('')}`;
  return [
    row('pull and unpack 100 MB', ['median ms', 'min ms', 'peak kB', 'of ours']),
    ...samples.map(({ name, medianMs, minMs, peakKb }) => row(name, [medianMs.toFixed(0), minMs.toFixed(0), String(peakKb), (medianMs / (samples[0]?.medianMs ?? 1)).toFixed(2)])),
    '', `at most 0.8 of each peer's time: ${others.map((other) => ((samples[0]?.medianMs ?? 0) / other).toFixed(2)).join(', ')}; at most 150000 kB: ${samples[0]?.peakKb}`,
  ].join('\n');
}

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'boolean' } } });
enterStage();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-bench-'));
try {
  using _ = await serveRegistry(folder);
  using timer = new Timer();
  progress('an image of 100 MB');
  pushImage(folder);
  progress('pulls');
  const samples = await interleaved(contestants(timer, folder), values.quick ? 3 : 7, 1);
  console.log(values.json ? JSON.stringify(samples, null, 2) : textOf(samples));
} finally {
  execFileSync('sh', ['-c', `umount -q "$1"/store-*/root/overlay 2>/dev/null; rm -rf "$1"`, 'sh', folder]);
}
process.exit(0);
