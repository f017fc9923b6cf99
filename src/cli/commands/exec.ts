import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import type { Container } from '../../containers/container.ts';
import { containerEvent } from '../../containers/events.ts';
import type { Places } from '../../containers/places.ts';
import { readInside } from '../../sys/read-inside.ts';
import { standingOf, runtimeRecord } from '../../containers/standing.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Process } from '../../oci/config/types.ts';
import { hostFacts } from '../../oci/probe.ts';
import { execContainer } from '../../runtime/exec.ts';
import { LoadedPlan } from '../../runtime/loaded-plan.ts';
import { spawned, type Place } from '../../runtime/place.ts';
import { executorFd } from '../../sys/memfd.ts';
import { grantedCapabilities } from '../../everyday/capabilities.ts';
import { badFlag, badFlags } from '../../everyday/refusal.ts';
import { resolveUser } from '../../everyday/user.ts';
import type { Invocation, Values } from '../../vocabulary/flags.ts';
import { mergeEnvironment, parseEnvironment, parseEnvironmentFile } from '../../vocabulary/key-value.ts';
import { randomId } from '../../vocabulary/names.ts';
import { find, placesOf, type globalFlags } from './context.ts';
import type { execFlags } from './flags.ts';

type Flags = Values<typeof execFlags>;

/** `delos exec`. Gives the process's exit code; 0 when it is detached. */
export async function run({ flags, globals, positional: [word = '', ...args] }: Invocation<typeof execFlags, typeof globalFlags>): Promise<number> {
  if (flags.detach && flags.tty) throw badFlags('--detach and --tty');
  const places = placesOf(globals);
  const container = find(places, word);
  const process = processOf(places, container, flags, args);
  if (!flags.interactive && !flags.tty) withoutStdin();
  using _ = ignoreKeyboard();
  const execID = randomId();
  containerEvent(places, container, `exec_create: ${args.join(' ')}`, { execID });
  containerEvent(places, container, `exec_start: ${args.join(' ')}`, { execID });
  const code = await execContainer({
    root: places.run, systemdCgroup: false, id: container.id, process, detach: flags.detach, preserveFds: 0, ignorePaused: false, cgroup: {},
  }, flags.detach ? silent : spawned);
  // Nobody waits for one in the background.
  if (!flags.detach) containerEvent(places, container, 'exec_die', { execID, exitCode: String(code) });
  return code;
}

function processOf(places: Places, container: Container, flags: Flags, args: readonly string[]): Process {
  const record = runtimeRecord(places, container.id);
  const { pid, status } = standingOf(places, container);
  const base = record?.config.process;
  if (base === undefined || pid === 0 || status === 'created') throw new DelosError('wrong-state', `container ${container.name} is not running`);
  if (status === 'paused') throw new DelosError('wrong-state', `container ${container.name} is paused: unpause it first`);
  if (flags.workdir !== undefined && !flags.workdir.startsWith('/')) throw badFlag('workdir', flags.workdir, 'expected an absolute path');
  const callers = Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  const files = flags['env-file'].flatMap((file) => parseEnvironmentFile(file, readFile(file), callers));
  const { terminal: _, consoleSize: __, ...kept } = base;
  const { user, env } = userOf(base, flags, pid);
  const privileged = flags.privileged ? grantedCapabilities({ privileged: true, 'cap-add': [], 'cap-drop': [] }, hostFacts().lastCapability) : undefined;
  const bounding = privileged ?? base.capabilities?.bounding ?? [];
  return {
    ...kept,
    ...(flags.tty && { terminal: true }),
    args,
    user,
    env: mergeEnvironment(base.env ?? [], env, flags.tty ? ['TERM=xterm'] : [], files, parseEnvironment(flags.env, callers)),
    cwd: flags.workdir ?? base.cwd,
    capabilities: user.uid === 0 ? { bounding, effective: bounding, permitted: bounding } : { bounding },
  };
}

function userOf(base: Process, flags: Flags, pid: number): { user: NonNullable<Process['user']>; env: string[] } {
  if (flags.user === undefined) return { user: base.user ?? { uid: 0, gid: 0 }, env: [] };
  const root = `/proc/${pid}/root`;
  const { uid, gid, additionalGids, home } = resolveUser(flags.user, readInside(root, 'etc/passwd'), readInside(root, 'etc/group'));
  return { user: { uid, gid, ...(additionalGids.length > 0 && { additionalGids }) }, env: [`HOME=${home}`] };
}

function readFile(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (cause) {
    throw new DelosError('io', `--env-file ${file}: cannot be read: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`, { cause });
  }
}

/** What we start from now on finds nothing to read. */
function withoutStdin(): void {
  fs.closeSync(0);
  fs.openSync('/dev/null', 'r');
}

/** The keys reach the process too, and what becomes of it is its business; we have to stay for its exit code. */
function ignoreKeyboard(): Disposable {
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore).on('SIGQUIT', ignore);
  return { [Symbol.dispose]: () => process.off('SIGINT', ignore).off('SIGQUIT', ignore) };
}

/** Nobody reads what a detached process writes. */
const silent: Place = {
  refused: undefined,
  async run(plan) {
    using loaded = new LoadedPlan(plan);
    const child = spawn(`/proc/self/fd/${executorFd()}`, ['3'], { stdio: ['ignore', 'ignore', 'ignore', loaded.fd] });
    await once(child, 'exit');
    return loaded.check();
  },
};
