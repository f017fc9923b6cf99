import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { leaks } from './leaks.ts';
import { marker } from './marker.ts';
import { storeRoot, type Outcome } from './delos.ts';

const build = path.resolve(import.meta.dirname, '../../build');

/** The `delos` under test with folders of its own: what one test makes no other sees, and all of it is gone at the end. */
export class Everyday implements AsyncDisposable {
  readonly data: string;
  readonly run: string;
  /** The command and its global flags. */
  readonly command: readonly string[];

  constructor() {
    this.data = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-everyday-'));
    // The containers of image host have to find their root.
    fs.chmodSync(this.data, 0o755);
    this.run = storeRoot;
    this.command = [path.join(build, 'node'), path.join(build, 'delos.cjs'), '--root', this.data, '--runroot', this.run];
  }

  /** Runs it to its end. */
  delos(...words: string[]): Outcome {
    return this.feed('', ...words);
  }

  /** The same with something to read. */
  feed(input: string | Uint8Array, ...words: string[]): Outcome {
    const [program = '', ...before] = this.command;
    const { status, signal, stdout, stderr } = spawnSync(program, [...before, ...words], {
      encoding: 'utf8', input, timeout: 30_000, killSignal: 'SIGKILL', env: { ...process.env, DELOS_TEST: marker },
    });
    return { status, signal, stdout, stderr };
  }

  /** What a command prints that must succeed. */
  output(...words: string[]): string {
    const { status, stdout, stderr } = this.delos(...words);
    assert.equal(status, 0, `delos ${words.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** Starts it and gives the process, its stdout as a pipe. */
  start(...words: string[]): ReturnType<typeof spawn> {
    const [program = '', ...before] = this.command;
    return spawn(program, [...before, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, DELOS_TEST: marker } });
  }

  /** The names of all containers. */
  names(): string[] {
    return this.output('ps', '-a', '--format', '{{.Names}}').split('\n').filter((name) => name !== '').sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const names = this.names();
    if (names.length > 0) this.output('rm', '-f', ...names);
    // Those that clear up after detached containers are not waited for by anybody else.
    for (let i = 0; i < 250 && leaks().processes.length > 0; i++) await sleep(20);
    // A bridge would stay for the next container of these folders.
    if (fs.existsSync(path.join(this.data, 'networks'))) this.output('network', 'prune');
    fs.rmSync(this.data, { recursive: true, force: true });
  }
}

/** Waits until a process has ended; gives its exit code. */
export async function ended(child: ReturnType<typeof spawn>): Promise<number | null> {
  const [code] = child.exitCode === null ? (await once(child, 'exit')) as [number | null] : [child.exitCode];
  return code;
}
