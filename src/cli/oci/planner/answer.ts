import fs from 'node:fs';
import type net from 'node:net';
import { LoadedPlan } from '../../../runtime/loaded-plan.ts';
import { reportSteps, type Place } from '../../../runtime/place.ts';
import { sendDescriptors } from '../../../sys/descriptor-socket.ts';
import { executorFd } from '../../../sys/memfd.ts';
import { ociMain } from '../command-line.ts';
import { collected } from '../output.ts';
import { trustedPeer } from './peer.ts';
import { answerHeader, encodeAnswer, parseRequest } from './protocol.ts';

/** What a planner does for others. The rest needs a process of its own: it waits, or reads stdin, or owns a terminal. */
const answered = new Set(['create', 'run', 'exec', 'start', 'state', 'kill', 'delete']);

/** Globals with a value, between which and the command lies nothing. */
const withValue = new Set(['--root', '--log', '--log-format', '--rootless', '--criu']);

/** Thrown by the place where a plan would be run that needs the caller's own process. */
class OwnProcessNeeded extends Error {}

/** Answers one request and closes the connection. Whatever is odd is answered with `cold`: the front can do everything itself. */
export async function answer(connection: net.Socket, bytes: Uint8Array, program: string): Promise<void> {
  const socket = descriptorOf(connection);
  const pid = trustedPeer(socket);
  const { cwd, argv, env } = parseRequest(bytes);
  if (pid === undefined || !answered.has(commandOf(argv)) || explains(argv)) return end(connection, encodeAnswer('cold', 0, '', ''));
  const collector = { output: '', errors: '' };
  let planned: { plan: LoadedPlan; preserve: number } | undefined;
  let ownProcess = false;
  const place = (report: readonly string[]): Place => ({
    refused: reportSteps(report, variables(env)),
    run: async (plan, preserve) => {
      planned = { plan: new LoadedPlan(plan), preserve };
      return 0;
    },
    needOwnProcess: () => {
      ownProcess = true;
      throw new OwnProcessNeeded('a process of its own is needed');
    },
  });
  const cgroup = fs.readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  const code = await collected.run(collector, () => ociMain(argv, { env, cwd, program, place, cgroup }));
  if (ownProcess) return end(connection, encodeAnswer('cold', 0, '', ''));
  if (!planned) return end(connection, encodeAnswer('done', code, collector.output, collector.errors));
  using plan = planned.plan;
  const message = encodeAnswer('plan', planned.preserve, collector.output, collector.errors);
  sendDescriptors(socket, message.subarray(0, answerHeader), [plan.fd, executorFd()]);
  end(connection, message.subarray(answerHeader));
}

function end(connection: net.Socket, bytes: Uint8Array): void {
  connection.end(bytes);
}

/** Node keeps it to itself; there is no other way to send descriptors over a connection of its own. */
function descriptorOf(connection: net.Socket): number {
  const { _handle: handle } = connection as net.Socket & { _handle?: { fd: number } };
  if (!handle) throw new Error('the connection is closed');
  return handle.fd;
}

function commandOf(argv: readonly string[]): string {
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (withValue.has(word)) index++;
    else if (!word.startsWith('-')) return word;
  }
  return '';
}

function explains(argv: readonly string[]): boolean {
  return argv.some((word) => word.startsWith('--explain'));
}

function variables(env: Readonly<Record<string, string>>): string[] {
  return ['PATH', 'XDG_RUNTIME_DIR'].flatMap((name) => (env[name] === undefined ? [] : [`${name}=${env[name]}`]));
}
