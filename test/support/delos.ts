import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Bundle } from './bundle.ts';
import { marker } from './marker.ts';

/**
 * The command under test and its first words: this project's `delos-oci`, or what DELOS_TEST_RUNTIME names. With `runc` or
 * `crun` there, a suite shows whether it tests the specification or our habits.
 */
export const runtime: readonly string[] = process.env['DELOS_TEST_RUNTIME']?.split(' ') ?? [
  process.execPath, path.resolve(import.meta.dirname, '../../src/cli/oci/main.ts'),
];

/** Where the containers of this process keep their folders. */
export const storeRoot = path.join(fs.existsSync('/run') ? '/run' : os.tmpdir(), marker);

process.on('exit', () => {
  try {
    fs.rmdirSync(storeRoot);
  } catch {
    // Never made, or a test has failed and left something in it to look at.
  }
});

export interface RunOptions {
  /** Given to `create` and `run` as --bundle. */
  readonly bundle?: Bundle;
  readonly root?: string;
  readonly input?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A command that ends by executing its last words, to start the runtime in other circumstances: `['setpriv', '--inh-caps=+kill']`. */
  readonly through?: readonly string[];
  /** Default 20 000; then it is killed. */
  readonly timeoutMs?: number;
}

export interface Outcome {
  /** null when it was killed. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `delos-oci ARGS` to its end: `runDelos(['run', id], { bundle })`. */
export function runDelos(args: readonly string[], options: RunOptions = {}): Outcome {
  const [program = '', ...words] = commandLine(args, options);
  const { status, signal, stdout, stderr } = spawnSync(program, words, {
    encoding: 'utf8', input: options.input ?? '', cwd: options.cwd, env: environment(options),
    timeout: options.timeoutMs ?? 20_000, killSignal: 'SIGKILL', maxBuffer: 1 << 26,
  });
  return { status, signal, stdout, stderr };
}

/**
 * The same without waiting for its end. Its stdio goes to nowhere when `quiet`: a held container keeps pipes open.
 * @returns the process, and its outcome when it has ended and its output is closed
 */
export function startDelos(args: readonly string[], options: RunOptions = {}): { child: ChildProcess; outcome: Promise<Outcome> } {
  const [program = '', ...words] = commandLine(args, options);
  const child = spawn(program, words, { cwd: options.cwd, env: environment(options), stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 20_000);
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, stdout, stderr });
    });
  });
  return { child, outcome };
}

function commandLine(args: readonly string[], { bundle, root = storeRoot, through = [] }: RunOptions): string[] {
  const [command = '', ...rest] = args;
  const where = bundle && (command === 'create' || command === 'run') ? ['--bundle', bundle.path] : [];
  return [...through, ...runtime, '--root', root, command, ...where, ...rest];
}

function environment({ env }: RunOptions): NodeJS.ProcessEnv {
  return { ...process.env, DELOS_TEST: marker, ...env };
}
