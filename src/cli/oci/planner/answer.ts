import fs from 'node:fs';
import type net from 'node:net';
import { DelosError } from '../../../lib/errors.ts';
import { LoadedPlan } from '../../../runtime/loaded-plan.ts';
import { OwnProcessNeeded, reportSteps, type Place } from '../../../runtime/place.ts';
import { sendDescriptors } from '../../../sys/descriptor-socket.ts';
import { executorFd } from '../../../sys/memfd.ts';
import { ociMain } from '../command-line.ts';
import { collected } from '../output.ts';
import { descriptorOf, stillWaits, trustedPeer } from './peer.ts';
import { answerHeader, coldAnswer, encodeAnswer, type PlannerRequest } from './protocol.ts';

/** What a planner does for others. The rest needs a process of its own: it waits, or reads stdin, or owns a terminal. */
const answered = new Set(['create', 'run', 'exec', 'start', 'state', 'kill', 'delete']);

/** Globals with a value, between which and the command lies nothing. */
const withValue = new Set(['--root', '--log', '--log-format', '--rootless', '--criu']);

/**
 * Answers one request and closes the connection. Whatever is odd is answered with `cold`: the front can do everything itself.
 * @param program the file that tells of a plan's refusal
 */
export async function answer(connection: net.Socket, asked: PlannerRequest, program: string): Promise<void> {
  const cgroup = callersCgroup(connection, asked.argv);
  if (cgroup === undefined) return reply(connection, coldAnswer);
  using held = new DisposableStack();
  let planned: { plan: LoadedPlan; preserve: number } | undefined;
  const place = (report: readonly string[]): Place => ({
    refused: reportSteps(report, variables(asked.env)),
    run: async (plan, preserve) => {
      // Thrown here, it undoes what was made for the plan.
      if (!stillWaits(connection)) throw new DelosError('interrupted', 'the caller has gone');
      planned = { plan: held.use(new LoadedPlan(plan)), preserve };
      return 0;
    },
    needOwnProcess,
  });
  const collector = { output: '', errors: '' };
  const caller = { env: asked.env, cwd: asked.cwd, program, place, cgroup, beforeHooks: needOwnProcess };
  const code = await collected.run(collector, () => ociMain(asked.argv, caller)).catch(coldCode);
  if (code === undefined) return reply(connection, coldAnswer);
  if (!planned) return reply(connection, encodeAnswer('done', code, collector.output, collector.errors));
  const message = encodeAnswer('plan', planned.preserve, collector.output, collector.errors);
  sendDescriptors(descriptorOf(connection), message.subarray(0, answerHeader), [planned.plan.fd, executorFd()]);
  reply(connection, message.subarray(answerHeader));
}

/** The end of a connection. It is closed when the kernel has the bytes, whether or not the front reads them. */
export function reply(connection: net.Socket, bytes: Uint8Array): void {
  connection.end(bytes);
  connection.destroySoon();
}

function needOwnProcess(): never {
  throw new OwnProcessNeeded('a process of its own is needed');
}

function coldCode(error: unknown): undefined {
  if (!(error instanceof OwnProcessNeeded)) throw error;
}

/** /proc/PID/cgroup of who asks. Undefined when it is to do the command itself, or is no more. */
function callersCgroup(connection: net.Socket, argv: readonly string[]): string | undefined {
  if (!answered.has(commandOf(argv)) || explains(argv)) return undefined;
  try {
    const pid = trustedPeer(connection);
    if (pid === undefined || !stillWaits(connection)) return undefined;
    return fs.readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return undefined;
  }
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
