import { AT_FDCWD, O_CLOEXEC, O_RDONLY } from '../abi/fcntl.ts';
import { cell, type Cell } from '../plan/block.ts';
import { call, type Item, type Plan, type Section } from '../plan/step.ts';
import { joinCgroup } from './cgroup.ts';
import { channel, giveUp, runtimeLeads } from './channel.ts';
import type { Config, NamespaceType } from './config/types.ts';
import { consoleSocket, controllingTerminal, execTerminal } from './console.ts';
import { boundingSet, capabilities, noNewPrivileges, user } from './credentials.ts';
import { closeDescriptors } from './descriptors.ts';
import { finalAffinity, initialAffinity } from './exec-affinity.ts';
import type { Facts } from './facts.ts';
import { Cells, label, type Build, type Field, type Request } from './field.ts';
import { cloneProcess, openProcPid, pidFile } from './init.ts';
import { oomScoreAdj, rlimits } from './limits.ts';
import { namespaceTypes, openOwnPidNamespace } from './namespaces.ts';
import { refusedSteps, superviseSteps } from './plan.ts';
import { closeOnExec, cwd, findProgram, program, umask } from './program.ts';
import { ready } from './ready.ts';
import { ioPriority, personality, scheduler } from './scheduling.ts';
import { earlySeccomp, listenedSeccomp, seccomp } from './seccomp.ts';
import { keyring, session } from './session.ts';
import { blockSignals, unblockSignals } from './signals.ts';
import { apparmor, closeProcfs, privateProcfs, selinux } from './sysctl.ts';
import { becomeRoot } from './user-namespace.ts';

/** The container that one more process goes into. */
export interface ExecTarget {
  /** pid of its init, as the runtime sees it. */
  readonly pid: number;
  /** The namespaces in which it differs from the runtime. */
  readonly namespaces: readonly NamespaceType[];
  /** Wait for the process and pass its exit code on. */
  readonly wait: boolean;
}

const outsideIsReady: Field = { at: [], support: 'full', ...runtimeLeads('cgroup and limits are set') };

/** What happens before the process joins the container, in this order. src/oci/order.ts has the reasons. */
const outside: readonly Field[] = [
  channel, consoleSocket, openProcPid, initialAffinity, joinCgroup, finalAffinity, rlimits, oomScoreAdj, outsideIsReady,
  session, // the container must not reach into it while it joins (CVE-2016-9962)
];

/** What happens in it. */
const inside: readonly Field[] = [
  becomeRoot, execTerminal, controllingTerminal, keyring, privateProcfs, personality, scheduler, ioPriority, apparmor, selinux,
  closeProcfs, closeDescriptors, noNewPrivileges, earlySeccomp, boundingSet, cwd, umask, user, capabilities, findProgram, listenedSeccomp, ready, pidFile, closeOnExec, seccomp, program,
];

/** The user namespace gives the right to join the others, and the mount namespace changes what paths mean. */
const joinOrder: readonly NamespaceType[] = ['user', 'cgroup', 'ipc', 'uts', 'network', 'time', 'mount'];

/**
 * One more process in a container, as system calls. Pure.
 * @param config the container's, with the new process in place of its own
 * @param refused how it ends when a call is refused
 */
export function planExec(config: Config, facts: Facts, request: Request, target: ExecTarget, refused: readonly Item[] = reportInPlan): Plan {
  const build: Build = { config, facts, request, cells: new Cells() };
  const descriptors = new Map(target.namespaces.map((type) => [type, cell(`${type} namespace`, -1)]));
  const start = label('process');
  return { sections: [runtimeSection(build, target, descriptors, start, refused), processSection(build, target, descriptors, start)] };
}

const reportInPlan: readonly Item[] = [call('exit_group', [255], 'the report is in the plan')];

type Descriptors = ReadonlyMap<NamespaceType, Cell>;
type Start = ReturnType<typeof label>;

function runtimeSection(build: Build, target: ExecTarget, descriptors: Descriptors, start: Start, report: readonly Item[]): Section {
  const refused = label('refused');
  const fields = [...outside, ...inside];
  return {
    name: 'runtime',
    items: [
      call('trap', [refused], 'what to do when a call is refused'),
      ...(target.wait ? [blockSignals()] : []),
      ...[...descriptors].map(([type, fd]) => openNamespace(target.pid, type, fd)),
      ...fields.flatMap((field) => field.before?.(build) ?? []),
      openOwnPidNamespace(build),
      ...(joinsUserFirst(build) ? join('user', descriptors) : []),
      ...join('pid', descriptors),
      ...cloneProcess(build, 0, start),
      ...fields.flatMap((field) => field.after?.(build) ?? []),
      ...(target.wait ? superviseSteps(build) : [call('exit_group', [0], 'the process goes on by itself')]),
      refused,
      ...refusedSteps(build),
      ...report,
    ],
  };
}

function processSection(build: Build, target: ExecTarget, descriptors: Descriptors, start: Start): Section {
  const refused = label('the process was refused');
  return {
    name: 'process',
    items: [
      start,
      call('trap', [refused], 'what to do when a call is refused'),
      ...(target.wait ? [unblockSignals()] : []),
      ...outside.flatMap((field) => field.init?.(build) ?? []),
      ...joinOrder.filter((type) => type !== 'user' || !joinsUserFirst(build)).flatMap((type) => join(type, descriptors)),
      ...inside.flatMap((field) => field.init?.(build) ?? []),
      refused,
      ...giveUp(build),
    ],
  };
}

/** Without privilege, it takes the container's user namespace to be let into its pid namespace, which the runtime joins itself. */
function joinsUserFirst({ facts }: Build): boolean {
  return facts.uid !== 0;
}

function openNamespace(pid: number, type: NamespaceType, fd: Cell): Item {
  const path = `/proc/${pid}/ns/${namespaceTypes[type].proc}`;
  return call('openat', [AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0], `the container's ${type} namespace`, { out: fd });
}

function join(type: NamespaceType, descriptors: Descriptors): Item[] {
  const fd = descriptors.get(type);
  return fd ? [call('setns', [fd, namespaceTypes[type].flag], `the container's ${type} namespace`)] : [];
}
