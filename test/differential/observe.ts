import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { makeBundle, testConfig, type Bundle, type ConfigChange, type TestConfig } from '../support/bundle.ts';
import { marker, newId } from '../support/marker.ts';
import { peerCommand, startCommand, type Peer, type Running } from '../support/peers.ts';
import { readCgroupView, readView, type View } from './view.ts';

/** One row of the comparison: a configuration, and what is there before. */
export interface Case {
  readonly name: string;
  readonly config: ConfigChange;
  /** Changes the image before it runs. */
  readonly image?: (bundle: Bundle) => void;
  /** Shell commands on the host before, in a mount namespace of their own, with the bundle's folder as $1. */
  readonly setup?: string;
  /** Words after `run`, before the id. */
  readonly flags?: readonly string[];
  /** Written to its stdin, in place of the line that lets the probe end; null closes it at once. */
  readonly input?: string | null;
}

// Bundles of four hundred links: on a disk they take longer to make than the container takes to run.
if (spawnSync('sh', ['-c', 'cp /usr/bin/busybox /dev/shm/"$0" && /dev/shm/"$0" true; status=$?; rm -f /dev/shm/"$0"; exit $status', marker]).status === 0) process.env['TMPDIR'] = '/dev/shm';

const probe = fs.readFileSync(path.join(import.meta.dirname, 'probe.sh'));

/** Runs a case on a peer to its end. The configuration runs the probe unless it says otherwise. */
export async function observe(peer: Peer, row: Case): Promise<View> {
  const id = newId(peer.name);
  const cgroupsPath = `/${marker}/${id}`;
  const words = new Set(`${probe.toString()} ${JSON.stringify(row.config(probing(testConfig(), cgroupsPath)))}`.match(/[\w[.-]+/g));
  using bundle = makeBundle((config) => row.config(probing(config, cgroupsPath)), (applet) => words.has(applet));
  fs.writeFileSync(path.join(bundle.rootfs, 'bin/probe'), probe, { mode: 0o755 });
  for (const folder of ['opt', 'mnt']) fs.mkdirSync(path.join(bundle.rootfs, folder));
  fs.writeFileSync(path.join(bundle.path, 'config.json'), fs.readFileSync(path.join(bundle.path, 'config.json'), 'utf8').replaceAll('$BUNDLE', bundle.path));
  row.image?.(bundle);
  const running = startCommand(peerCommand(peer, ['run', '--bundle', bundle.path, ...(row.flags ?? []), id], row.setup, bundle.path));
  const cgroups = await cgroupsWhileProbing(running, row, cgroupsPath);
  const { status, stdout, stderr } = await running.ended;
  const names = [[bundle.path, 'BUNDLE'], [id, 'ID'], [marker, 'MARKER']] as const;
  const seen = stdout.includes('\n==end') ? readView(stdout, names) : { stdout };
  return { ...seen, ...cgroups, exit: String(status), 'says why': stderr === '' ? 'no' : 'yes' };
}

function probing(config: TestConfig, cgroupsPath: string): TestConfig {
  return { ...config, ociVersion: '1.0.2', process: { ...config.process, args: ['probe'] }, linux: { ...config.linux, cgroupsPath } };
}

/** Lets the probe go when the cgroups have been read. */
async function cgroupsWhileProbing({ child, ended }: Running, { input = '\n' }: Case, cgroupsPath: string): Promise<View> {
  if (input !== '\n') {
    child.stdin.end(input ?? '');
    return {};
  }
  let output = '';
  const waits = new Promise<void>((resolve) => {
    child.stdout.on('data', (text: string) => (output += text).includes('\n==end') && resolve());
  });
  await Promise.race([waits, ended]);
  const view = readCgroupView(cgroupsPath);
  child.stdin.end(input);
  return view;
}

/** The keys in which two views differ. When only one of the two came to run the probe, that is the difference. */
export function differences(ours: View, theirs: View): readonly string[] {
  const bothRan = 'end' in ours === 'end' in theirs;
  const keys = bothRan ? new Set([...Object.keys(ours), ...Object.keys(theirs)]) : ['exit', 'says why'];
  return [...keys].filter((key) => ours[key] !== theirs[key]).sort();
}
