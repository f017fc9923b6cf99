/** How a running machine is told something from outside: a socket that takes a line of JSON a request and gives one in answer. */

import fs from 'node:fs';
import net from 'node:net';
import { DelosError } from '../../lib/errors.ts';
import type { Machine } from '../../machine/machine.ts';
import { writeSnapshot } from '../../snapshot/file.ts';

/** One of them, alone; `stop` with `snapshot`: the machine ends when it is written. */
export interface ControlRequest {
  readonly snapshot?: string;
  readonly stop?: boolean;
  readonly pause?: true;
  readonly resume?: true;
}

export type ControlAnswer = { readonly ok: true } | { readonly error: string };

/** The other end of `--control`, for as long as a `vm run` or `vm restore` takes; its machine may be another after a reset. */
export interface Control extends Disposable {
  serve(machine: Machine): void;
}

const longestRequest = 65536;

/** Which fields go together, and what each may be. */
const requests: readonly Readonly<Record<string, (value: unknown) => boolean>>[] = [
  { snapshot: (value) => typeof value === 'string' && value !== '' },
  { snapshot: (value) => typeof value === 'string' && value !== '', stop: (value) => typeof value === 'boolean' },
  { pause: (value) => value === true },
  { resume: (value) => value === true },
];

/** A request that was read as JSON. @throws DelosError `bad-usage` for what is none */
function requestOf(value: unknown): ControlRequest {
  const fields = Object.entries(typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {});
  const isKnown = requests.some((shape) => fields.length === Object.keys(shape).length && fields.every(([name, given]) => shape[name]?.(given) === true));
  if (!isKnown) {
    throw new DelosError('bad-usage', 'a request is {"snapshot": FILE}, with "stop": true if wanted, {"pause": true} or {"resume": true}');
  }
  return Object.fromEntries(fields) as ControlRequest;
}

/** Does what is asked, at once: the machine is between two instructions when others have the thread. */
function answer(machine: Machine | undefined, line: string, quit: () => void): ControlAnswer {
  try {
    if (machine === undefined) throw new DelosError('wrong-state', 'there is no machine at the moment');
    const request = requestOf(JSON.parse(line));
    if (request.snapshot !== undefined) {
      writeSnapshot(machine, request.snapshot);
      if (request.stop === true) quit();
    } else if (request.pause === true) {
      machine.pause();
    } else {
      machine.resume();
    }
    return { ok: true };
  } catch (error) {
    if (error instanceof DelosError) return { error: error.message };
    if (error instanceof SyntaxError) return { error: `this is no JSON: ${error.message}` };
    throw error;
  }
}

/**
 * Listens at a path, for its owner alone.
 * @param file nothing is there; undefined: nobody is listened to
 * @param quit ends the machine
 * @throws DelosError `bad-usage` when it can't be listened there
 */
export async function listenControl(file: string | undefined, quit: () => void): Promise<Control> {
  if (file === undefined) return { serve: () => undefined, [Symbol.dispose]: () => undefined };
  let machine: Machine | undefined;
  const connections = new Set<net.Socket>();
  const server = net.createServer((connection) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection)).on('error', () => connection.destroy());
    eachLine(connection, (line) => connection.write(`${JSON.stringify(answer(machine, line, quit))}\n`));
  });
  await listening(server, file);
  return {
    serve: (next) => void (machine = next),
    [Symbol.dispose]() {
      server.close();
      // What has been answered is on its way, and is not cut off.
      for (const connection of connections) connection.end().unref();
      fs.rmSync(file, { force: true });
    },
  };
}

async function listening(server: net.Server, file: string): Promise<void> {
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => void server.once('error', reject).listen(file, resolve));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'something is there already; remove it if no machine listens there' : code;
    throw new DelosError('bad-usage', `--control: ${file} can't be listened at: ${why}`, { cause: error });
  } finally {
    process.umask(mask);
  }
}

/** @param take gets each line, without its end; who sends one that is too long is not listened to any more */
export function eachLine(connection: net.Socket, take: (line: string) => void): void {
  let text = '';
  connection.setEncoding('utf8').on('data', (part: string) => {
    const lines = (text + part).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) take(line);
    if (text.length > longestRequest) connection.destroy();
  });
}
