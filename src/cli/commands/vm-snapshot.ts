import net from 'node:net';
import path from 'node:path';
import { DelosError } from '../../lib/errors.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import type { globalFlags } from './context.ts';
import { eachLine, type ControlAnswer, type ControlRequest } from './vm-control.ts';
import type { vmSnapshotFlags } from './vm.ts';

/** `delos vm snapshot SOCKET FILE`: has a running machine write itself to a file. */
export async function run({ flags, positional }: Invocation<typeof vmSnapshotFlags, typeof globalFlags>): Promise<number> {
  const [socket = '', file = ''] = positional;
  const answer = await ask(socket, { snapshot: path.resolve(file), ...(flags.stop && { stop: true }) });
  if ('error' in answer) throw new DelosError('io', answer.error);
  return 0;
}

/** @throws DelosError `bad-usage` when nobody is there, or not long enough to answer */
async function ask(socket: string, request: ControlRequest): Promise<ControlAnswer> {
  return await new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown): void => reject(new DelosError('bad-usage', `${socket}: ${why}`, { cause }));
    const connection = net.connect(socket);
    connection.on('error', (error: NodeJS.ErrnoException) => fail(`no machine listens there: ${error.code}`, error));
    connection.on('close', () => fail('the machine has ended, and has not answered'));
    eachLine(connection, (line) => {
      resolve(JSON.parse(line) as ControlAnswer);
      connection.end();
    });
    connection.write(`${JSON.stringify(request)}\n`);
  });
}
