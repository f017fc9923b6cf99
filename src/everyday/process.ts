import { DelosError } from '../lib/errors.ts';
import type { Capabilities, IdMapping, Process, Rlimit, User } from '../oci/config/types.ts';
import { mergeEnvironment, parseEnvironment, parseEnvironmentFile } from '../vocabulary/key-value.ts';
import { parseUlimit } from '../vocabulary/ulimit.ts';
import type { HostFacts, ImageDefaults } from './facts.ts';
import type { RunOptions } from './flags.ts';
import { initPath } from './mounts.ts';
import { badFlag } from './refusal.ts';
import type { SecurityOptions } from './security.ts';
import { apparmorProfile, selinuxLabel } from './security.ts';
import type { ResolvedUser } from './user.ts';
import { resolveGroup, resolveUser } from './user.ts';
import type { Mappings } from './user-namespace.ts';
import { isMapped } from './user-namespace.ts';

/** The search path of a container whose image says none. */
export const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface ProcessSurroundings {
  readonly options: RunOptions;
  readonly image: ImageDefaults;
  readonly host: HostFacts;
  readonly mappings: Mappings | undefined;
  readonly security: SecurityOptions;
  /** Names the bounding set holds. */
  readonly capabilities: readonly string[];
  readonly hostname: string;
}

/** The whole of `process`. Throws `bad-usage`, or `unsupported` for what this host has not. */
export function processOf(surroundings: ProcessSurroundings): Process {
  const { options, image, host, mappings, security } = surroundings;
  const user = resolveUser(options.user ?? image.user ?? '', image.passwd, image.group);
  const apparmor = apparmorProfile(security, options.privileged, host);
  const selinux = selinuxLabel(security, host);
  const rlimits = rlimitList(options.ulimit);
  return {
    ...(options.tty ? { terminal: true, ...(host.console === undefined ? {} : { consoleSize: host.console }) } : {}),
    user: processUser(user, options, image, mappings),
    args: commandLine(options, image, host),
    env: environment(surroundings, user),
    cwd: workingDirectory(options, image),
    capabilities: capabilitySets(surroundings.capabilities, user.uid),
    ...(rlimits.length > 0 ? { rlimits } : {}),
    noNewPrivileges: security.noNewPrivileges,
    ...(apparmor === undefined ? {} : { apparmorProfile: apparmor }),
    ...(selinux === undefined ? {} : { selinuxLabel: selinux }),
    ...oomScore(options),
  };
}

function processUser(user: ResolvedUser, options: RunOptions, image: ImageDefaults, mappings: Mappings | undefined): User {
  const added = options['group-add'].map((text) => resolveGroup(text, image.group));
  requireMapped('user', 'uidmap', [user.uid], mappings?.uids);
  requireMapped('group', 'gidmap', [user.gid, ...added], mappings?.gids);
  // The own group is among the additional ones too: a program that changes its gid keeps no group the file system still counts (CVE-2022-36109).
  const gids = new Set([user.gid, ...user.additionalGids.filter((gid) => isMapped(gid, mappings?.gids)), ...added]);
  // With one id mapped, the kernel has setgroups(2) denied.
  const canSetGroups = mappings === undefined || mappings.gids.length > 1 || (mappings.gids[0]?.size ?? 0) > 1;
  if (!canSetGroups && added.length > 0) throw new DelosError('unsupported', '--group-add: this user namespace has one group, so none can be added');
  return { uid: user.uid, gid: user.gid, ...(canSetGroups ? { additionalGids: [...gids] } : {}) };
}

function requireMapped(kind: string, flag: string, ids: readonly number[], mapped: readonly IdMapping[] | undefined): void {
  const lost = ids.find((id) => !isMapped(id, mapped));
  if (lost === undefined) return;
  throw new DelosError('unsupported', `${kind} ${lost} has no id outside the user namespace: map it with --${flag}, or give this user subordinate ids`);
}

/** A program of another user starts with none and gains none by execve(2); saying so here makes `state` tell the truth. */
function capabilitySets(names: readonly string[], uid: number): Capabilities {
  return uid === 0 ? { bounding: names, effective: names, permitted: names } : { bounding: names };
}

function commandLine(options: RunOptions, image: ImageDefaults, host: HostFacts): string[] {
  const entrypoint = options.entrypoint === undefined ? image.entrypoint ?? [] : options.entrypoint === '' ? [] : [options.entrypoint];
  // A new entrypoint does not take the arguments meant for the old one.
  const defaults = options.entrypoint === undefined ? image.cmd ?? [] : [];
  const args = [...entrypoint, ...(options.command.length > 0 ? options.command : defaults)];
  if (args.length === 0) throw new DelosError('bad-usage', 'no command specified, and the image has none');
  if (!options.init) return args;
  if (host.init === undefined) throw new DelosError('unsupported', '--init: the init program of Delos is not built');
  return [initPath, '--', ...args];
}

function environment({ options, image, host, hostname }: ProcessSurroundings, user: ResolvedUser): string[] {
  const files = options['env-file'].flatMap((path) => {
    const content = Object.hasOwn(host.files, path) ? host.files[path] : undefined;
    if (content === undefined) throw new DelosError('io', `--env-file ${path}: the file could not be read`);
    return parseEnvironmentFile(path, content, host.environment);
  });
  return mergeEnvironment(
    [defaultPath, `HOSTNAME=${hostname}`, ...(options.tty ? ['TERM=xterm'] : []), `HOME=${user.home}`],
    image.env ?? [], files, parseEnvironment(options.env, host.environment),
  );
}

function workingDirectory(options: RunOptions, image: ImageDefaults): string {
  if (options.workdir !== undefined && !options.workdir.startsWith('/')) throw badFlag('workdir', options.workdir, 'expected an absolute path');
  const { workingDir = '' } = image;
  return options.workdir ?? (workingDir.startsWith('/') ? workingDir : `/${workingDir}`);
}

function rlimitList(texts: readonly string[]): Rlimit[] {
  return [...new Map(texts.map((text) => parseUlimit(text)).map((limit) => [limit.type, limit])).values()];
}

function oomScore({ 'oom-score-adj': score }: RunOptions): { oomScoreAdj?: number } {
  if (score === undefined) return {};
  if (score < -1000 || score > 1000) throw badFlag('oom-score-adj', score, 'expected -1000 to 1000');
  return { oomScoreAdj: score };
}
