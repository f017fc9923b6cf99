import { call, type Item, type Label, type Plan, type Section } from '../plan/step.ts';
import { joinCgroup } from './cgroup.ts';
import { channel, giveUp, runtimeLeads } from './channel.ts';
import type { Config, NamespaceType } from './config/types.ts';
import { consoleSocket, controllingTerminal, execTerminal } from './console.ts';
import { boundingSet, capabilities, noNewPrivileges, user } from './credentials.ts';
import { closeDescriptors } from './descriptors.ts';
import { finalAffinity, initialAffinity } from './exec-affinity.ts';
import type { Facts } from './facts.ts';
import { Cells, label, type Build, type Field, type Request } from './field.ts';
import { cloneBeside, openProcPid, pidFile } from './init.ts';
import { joinCgroupNamespace, joiningSection, takeOver } from './joining.ts';
import { oomScoreAdj, rlimits } from './limits.ts';
import { namespaceTypes, toJoin } from './namespaces.ts';
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

const outsideIsReady: Field = { at: [], support: 'full', ...runtimeLeads('limits are set') };

/** What happens to the joining process, from which the process has it. src/oci/order.ts has the reasons. */
const outside: readonly Field[] = [channel, consoleSocket, openProcPid, initialAffinity, rlimits, oomScoreAdj, outsideIsReady];

/** What happens in the container. */
const inside: readonly Field[] = [
  joinCgroup, finalAffinity, joinCgroupNamespace, becomeRoot, session, execTerminal, controllingTerminal, keyring, privateProcfs, personality,
  scheduler, ioPriority, apparmor, selinux, closeProcfs, closeDescriptors, noNewPrivileges, earlySeccomp, boundingSet, cwd, umask, user,
  capabilities, findProgram, listenedSeccomp, ready, pidFile, closeOnExec, seccomp, program,
];

/**
 * One more process in a container, as system calls. Pure.
 * @param config the container's, with the new process in place of its own
 * @param refused how it ends when a call is refused
 */
export function planExec(config: Config, facts: Facts, request: Request, target: ExecTarget, refused: readonly Item[] = reportInPlan): Plan {
  const joined = target.namespaces.map((type) => toJoin(type, `/proc/${target.pid}/ns/${namespaceTypes[type].proc}`, `the container's ${type} namespace`));
  const build: Build = { config, facts, request, cells: new Cells(), joined };
  const joining = label('joining');
  const start = label('process');
  const first = [...unblocked(target), ...outside.flatMap((field) => field.init?.(build) ?? [])];
  return { sections: [runtimeSection(build, target, joining, refused), joiningSection(build, first, 0, joining, start), processSection(build, start)] };
}

const reportInPlan: readonly Item[] = [call('exit_group', [255], 'the report is in the plan')];

function runtimeSection(build: Build, target: ExecTarget, joining: Label, report: readonly Item[]): Section {
  const refused = label('refused');
  return {
    name: 'runtime',
    items: [
      call('trap', [refused], 'what to do when a call is refused'),
      ...(target.wait ? [blockSignals()] : []),
      ...[...outside, ...inside].flatMap((field) => field.before?.(build) ?? []),
      cloneBeside(build, joining, build.cells.pid),
      ...outside.flatMap((field) => field.after?.(build) ?? []),
      ...takeOver(build),
      ...inside.flatMap((field) => field.after?.(build) ?? []),
      ...(target.wait ? superviseSteps(build) : [call('exit_group', [0], 'the process goes on by itself')]),
      refused,
      ...refusedSteps(build),
      ...report,
    ],
  };
}

function processSection(build: Build, start: Label): Section {
  const refused = label('the process was refused');
  return {
    name: 'process',
    items: [
      start,
      call('trap', [refused], 'what to do when a call is refused'),
      ...inside.flatMap((field) => field.init?.(build) ?? []),
      refused,
      ...giveUp(build),
    ],
  };
}

function unblocked({ wait }: ExecTarget): Item[] {
  return wait ? [unblockSignals()] : [];
}
