import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import path from 'node:path';
import { marker } from './marker.ts';
import { skipUnless } from './skip.ts';

/** A runtime with runc's command line. */
export interface Peer {
  readonly name: 'delos' | 'runc' | 'crun';
  /** Where it keeps its containers. */
  readonly root: string;
  /** False, or why it cannot run here. */
  readonly skip: string | false;
}

/** The built command, as its users start it: not the source, since the front in C belongs to what is compared. */
export const delosOci = path.resolve(import.meta.dirname, '../../build/delos-oci');

export const peers: readonly Peer[] = (['delos', 'runc', 'crun'] as const).map((name) => ({
  name,
  root: `/run/${marker}/${name}`,
  skip: name === 'delos' ? false : skipUnless(name),
}));

/**
 * The command line for `args` of a peer, after `setup`, shell commands in a mount namespace of its own in which $1 is `folder`.
 * crun 1.8 refuses hosts where version 2 of cgroups has a controller beside version 1, so it never sees that hierarchy.
 */
export function peerCommand(peer: Peer, args: readonly string[], setup = '', folder = ''): readonly string[] {
  const words = [peer.name === 'delos' ? delosOci : peer.name, '--root', peer.root, ...args];
  const hide = peer.name === 'crun' ? 'if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi\n' : '';
  if (hide + setup === '') return words;
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', `${hide}${setup}\nshift\nexec "$@"`, 'sh', folder, ...words];
}

export interface Ended {
  /** null when it was killed for taking too long. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ended: Promise<Ended>;
}

/** Starts a command with pipes; it has `timeoutMs`. */
export function startCommand([program = '', ...args]: readonly string[], env: Readonly<Record<string, string>> = {}, timeoutMs = 30_000): Running {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, DELOS_TEST: marker, ...env }, timeout: timeoutMs, killSignal: 'SIGKILL' });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // The program may end without reading.
  child.stdin.on('error', () => {});
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject).once('close', (status) => resolve({ status, stdout, stderr }));
  });
  return { child, ended };
}

/** Runs a command to its end. Without `input` it reads end of file. */
export function runCommand(words: readonly string[], input = '', env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { child, ended } = startCommand(words, env);
  child.stdin.end(input);
  return ended;
}
