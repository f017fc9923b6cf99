import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { DelosError } from '../../lib/errors.ts';
import { isObject, stringIn, type JsonObject } from './json.ts';

export type CniCommand = 'ADD' | 'DEL' | 'CHECK' | 'STATUS' | 'VERSION' | 'GC';

/** What is to be done to whom. CNI specification, section 2, "Parameters". */
export interface Invocation {
  readonly command: CniCommand;
  readonly container: string;
  /** A path; empty for a DEL after the namespace has gone. */
  readonly namespace: string;
  readonly interface: string;
  /** Folders of plugins. */
  readonly path: readonly string[];
  /** Default 60 000; then the plugin is killed. */
  readonly timeoutMs?: number;
}

const maxOutput = 1 << 20;

/** Where plugins are: `CNI_PATH`, else where distributions and the project itself install them. */
export function pluginFolders(env: Readonly<Record<string, string | undefined>>): string[] {
  return (env['CNI_PATH'] || '/opt/cni/bin:/usr/lib/cni:/usr/libexec/cni').split(':').filter((folder) => folder !== '');
}

/**
 * Runs one plugin.
 * @param configuration its standard input
 * @returns its standard output as an object, nothing when it prints nothing
 * @throws DelosError plugin-failed in one line, with the plugin's own words
 */
export async function runPlugin(type: string, invocation: Invocation, configuration: JsonObject): Promise<JsonObject | undefined> {
  const file = findPlugin(type, invocation.path);
  const { code, stdout, stderr } = await execute(type, file, invocation, JSON.stringify(configuration));
  const answer = readAnswer(stdout);
  const whose = `CNI plugin ${type}, ${invocation.command}`;
  if (code !== 0) throw new DelosError('plugin-failed', `${whose}: ${complaint(answer, stderr, code)}`);
  if (answer === undefined && stdout.trim() !== '') throw new DelosError('plugin-failed', `${whose}: it printed no JSON object: ${oneLine(stdout)}`);
  return answer;
}

function findPlugin(type: string, folders: readonly string[]): string {
  const found = folders.map((folder) => path.join(folder, type)).find((file) => {
    try {
      fs.accessSync(file, fs.constants.X_OK);
      return fs.statSync(file).isFile();
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new DelosError('plugin-failed', `CNI plugin ${type}: it is not in ${folders.join(', ')}`);
  return found;
}

interface Ending {
  /** 128 + signal for a signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function execute(type: string, file: string, invocation: Invocation, input: string): Promise<Ending> {
  const { timeoutMs = 60_000 } = invocation;
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => reject(new DelosError('plugin-failed', `CNI plugin ${type}, ${invocation.command}: ${what}`));
    const child = spawn(file, [], { cwd: '/', env: environment(invocation), detached: true, stdio: 'pipe' });
    const [stdout, stderr] = [new Collected(), new Collected()];
    const stop = (what: string): void => {
      // A group of its own: what the plugin has started, an IPAM plugin for one, goes with it.
      if (child.pid !== undefined) killGroup(child.pid);
      fail(what);
    };
    const limit = setTimeout(() => stop(`it was killed after ${timeoutMs / 1000} seconds`), timeoutMs);
    for (const [stream, collected] of [[child.stdout, stdout], [child.stderr, stderr]] as const) {
      stream.on('data', (piece: Buffer) => collected.take(piece) || stop(`it was killed: it printed more than ${maxOutput} bytes`));
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(limit);
      fail(`${file} cannot be run: ${error.code}`);
    });
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      if (signal !== null) return fail(`it was ended by ${signal}`);
      return resolve({ code: code ?? 0, stdout: stdout.text(), stderr: stderr.text() });
    });
    // One that does not read what it is told says why by its end.
    child.stdin.on('error', () => {}).end(input);
  });
}

/** Output up to a limit. */
class Collected {
  readonly #pieces: Buffer[] = [];
  #bytes = 0;

  /** False when it has become too much. */
  take(piece: Buffer): boolean {
    this.#bytes += piece.length;
    if (this.#bytes > maxOutput) return false;
    this.#pieces.push(piece);
    return true;
  }

  text(): string {
    return Buffer.concat(this.#pieces).toString();
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function environment({ command, container, namespace, interface: name, path: folders }: Invocation): Record<string, string | undefined> {
  return {
    ...process.env, CNI_COMMAND: command, CNI_CONTAINERID: container, CNI_NETNS: namespace, CNI_IFNAME: name, CNI_PATH: folders.join(':'), CNI_ARGS: 'IgnoreUnknown=1',
  };
}

function readAnswer(text: string): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** CNI specification, section 5, "Error": `code`, `msg`, `details`. */
function complaint(answer: JsonObject | undefined, stderr: string, code: number): string {
  const told = answer && [stringIn(answer, 'msg'), stringIn(answer, 'details')].filter((text) => text !== undefined && text !== '').join(': ');
  return oneLine(told || stderr || `it ended with ${code} and no word`);
}

function oneLine(text: string): string {
  const line = text.trim().replaceAll(/[\s\p{Cc}]+/gu, ' ');
  return line.length > 500 ? `${line.slice(0, 500)}...` : line;
}
