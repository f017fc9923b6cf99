import { SIGKILL } from '../abi/signal.ts';
import { timespec } from '../abi/structs.ts';
import { cell, record } from '../plan/block.ts';
import { call, jump, type Item, type Label, type Plan, type Section } from '../plan/step.ts';
import { giveUp } from './channel.ts';
import type { Config } from './config/types.ts';
import type { Facts } from './facts.ts';
import { Cells, label, type Build, type Request } from './field.ts';
import { poststopSteps } from './hooks.ts';
import { cloneBeside, cloneInit } from './init.ts';
import { joiningSection, takeOver } from './joining.ts';
import { cloneFlags, joinedByPath } from './namespaces.ts';
import { order } from './order.ts';
import { blockSignals, unblockSignals } from './signals.ts';

/** What the executor does when the container is built, or has ended. */
export interface PlanOptions {
  /** How the plan ends when a call is refused, once init is dead. Default: exit with 1; the report is in the plan. */
  readonly refused?: readonly Item[];
  /** Leave the folder and the cgroups of a container that was not held behind when it has ended. */
  readonly keep?: boolean;
  /** Stay until the container has ended, as for one that is not held. */
  readonly supervise?: boolean;
  /** What is done once it has ended, while its cgroups are still there. */
  readonly ended?: readonly Item[];
}

/**
 * The whole making of a container as system calls. Pure: the same arguments give the same plan, byte for byte.
 * @throws DelosError bad-config or unsupported for what this host or this version cannot do
 */
export function planContainer(config: Config, facts: Facts, request: Request, options: PlanOptions = {}): Plan {
  const build: Build = { config, facts, request, cells: new Cells(), joined: joinedByPath(config, facts) };
  const init = label('init');
  const flags = cloneFlags(config);
  const waits = !request.held || options.supervise === true;
  if (build.joined.length === 0) {
    const { open, clone, close } = cloneInit(build, flags, init);
    return { sections: [runtimeSection(build, options, waits, [...open, clone, ...close]), initSection(build, waits, init)] };
  }
  const joining = label('joining');
  const runtime = runtimeSection(build, options, waits, [cloneBeside(build, joining), ...takeOver(build)]);
  return { sections: [runtime, joiningSection(build, [], flags, joining, init), initSection(build, waits, init)] };
}

function runtimeSection(build: Build, options: PlanOptions, waits: boolean, makeInit: readonly Item[]): Section {
  const refused = label('refused');
  return {
    name: 'runtime',
    items: [
      call('trap', [refused], 'what to do when a call is refused'),
      ...(waits ? [blockSignals()] : []),
      ...order.flatMap((field) => field.before?.(build) ?? []),
      ...makeInit,
      ...order.flatMap((field) => field.after?.(build) ?? []),
      ...(waits ? superviseSteps(build, endSteps(build, options)) : [call('exit_group', [0], 'the container waits for start')]),
      refused,
      ...refusedSteps(build),
      ...refusedRemovalSteps(build.request),
      ...(options.refused ?? [call('exit_group', [1], 'the report is in the plan')]),
    ],
  };
}

function initSection(build: Build, waits: boolean, start: Label): Section {
  const refused = label('init was refused');
  return {
    name: 'init',
    items: [
      start,
      call('trap', [refused], 'what to do when a call is refused'),
      ...(waits ? [unblockSignals()] : []),
      ...order.flatMap((field) => field.init?.(build) ?? []),
      refused,
      ...giveUp(build),
    ],
  };
}

function endSteps(build: Build, { ended = [], keep }: PlanOptions): Item[] {
  const { held } = build.request;
  // A held container is stopped, and stays, until it is deleted; the poststop hooks run then.
  return [...ended, ...(held ? [] : poststopSteps(build)), ...(held || keep ? [] : removalSteps(build.request))];
}

/** Waits for the process, does what is to be done afterwards, and exits as it did. */
export function superviseSteps({ cells }: Build, afterwards: readonly Item[] = []): Item[] {
  const status = cell('exit code');
  return [
    call('supervise', [cells.pidfd], 'until the container ends', { out: status }),
    ...afterwards,
    call('exit_group', [status], "the container's exit code"),
  ];
}

/**
 * A refusal can mean that the container was deleted while it was being made, by somebody who took its maker for dead. What was made
 * after that nobody else knows of.
 */
function refusedRemovalSteps({ cgroup }: Request): Item[] {
  return [pause(2), ...cgroup.map(({ directory }) => call('rmdir', [directory], 'nothing stays behind', { accept: { any: 'next' } }))];
}

function pause(milliseconds: number): Item {
  const time = record(timespec, { tv_nsec: milliseconds * 1_000_000 });
  return call('nanosleep', [time, 0], 'a cgroup is busy for a moment after its last process', { accept: { any: 'next' } });
}

/** Init is killed and waited for; what else there is in the container dies with it, or with its cgroup. */
export function refusedSteps(build: Build): Item[] {
  const { cells } = build;
  return [
    call('pidfd_send_signal', [cells.pidfd, SIGKILL, 0, 0], 'nothing stays behind', { accept: { any: 'next' } }),
    call('wait', [cells.pidfd, -1], 'nothing stays behind', { accept: { any: 'next' } }),
  ];
}

/**
 * Removes the container's cgroups and its folder. A cgroup that stays busy has processes that outlived init, or cgroups made inside:
 * then the folder is kept, and `delete --force` finds them.
 */
function removalSteps(request: Request): Item[] {
  const why = 'nothing stays behind';
  const kept = label('`delete --force` has the rest to do');
  const gone = label('the cgroups are gone');
  const [busy, stillBusy] = [label('a cgroup is busy'), label('a cgroup is still busy')];
  const removeAll = (onBusy: Label): Item[] => request.cgroup.map(({ directory }) => call('rmdir', [directory], why, { accept: { EBUSY: onBusy, any: 'next' } }));
  return [
    ...removeAll(busy),
    jump(gone, why),
    busy,
    pause(2),
    ...removeAll(stillBusy),
    jump(gone, why),
    stillBusy,
    pause(100),
    ...removeAll(kept),
    gone,
    ...['init', 'state.json'].map((name) => call('unlink', [`${request.folder}/${name}`], why, { accept: { any: 'next' } })),
    call('rmdir', [request.folder], why, { accept: { any: 'next' } }),
    kept,
  ];
}
