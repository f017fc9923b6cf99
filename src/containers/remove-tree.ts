import fs from 'node:fs';
import path from 'node:path';
import { CLONE_NEWUSER } from '../abi/clone.ts';
import { errnoOf } from '../cgroup/control-file.ts';
import { DelosError } from '../lib/errors.ts';
import { channel, giveUp, runtimeLeads } from '../oci/channel.ts';
import type { Config } from '../oci/config/types.ts';
import { Cells, label, type Build, type Request } from '../oci/field.ts';
import { cloneInit, openProcPid } from '../oci/init.ts';
import { refusedSteps, superviseSteps } from '../oci/plan.ts';
import { blockSignals, unblockSignals } from '../oci/signals.ts';
import { probe } from '../oci/probe.ts';
import { becomeRoot, userNamespace } from '../oci/user-namespace.ts';
import { cStrings } from '../plan/block.ts';
import { encode } from '../plan/encode.ts';
import { call, type Plan } from '../plan/step.ts';
import { readConfig } from '../runtime/prepare.ts';
import { spawned } from '../runtime/place.ts';

/**
 * Removes a container's folder with what the container has written. What belongs to a user's subordinate ids, or was made
 * inaccessible by an overlay, only the root of a user namespace like the container's can remove.
 * @throws DelosError io
 */
export async function removeTree(folder: string): Promise<void> {
  const written = ['layer', 'rootfs'].map((name) => path.join(folder, name)).filter((place) => fs.existsSync(place));
  const linux = process.geteuid?.() === 0 || !written.some(isFilled) ? undefined : readMappings(folder);
  if (linux !== undefined) await spawned.run(encode(removalPlan({ ociVersion: '1.3.0', linux }, written)), 0);
  try {
    fs.rmSync(folder, { recursive: true, force: true });
  } catch (cause) {
    throw new DelosError('io', `${folder}: cannot be removed: ${errnoOf(cause) ?? String(cause)}`, { cause });
  }
}

/** Whether there is anything in a folder, or it cannot be told. */
function isFilled(folder: string): boolean {
  try {
    return fs.readdirSync(folder).length > 0;
  } catch {
    return true;
  }
}

/** Of the user namespace the container had; nothing without one, or when its config.json is gone already. */
function readMappings(folder: string): Config['linux'] | undefined {
  if (!fs.existsSync(path.join(folder, 'config.json'))) return undefined;
  const { uidMappings, gidMappings } = readConfig(folder).linux ?? {};
  return uidMappings && gidMappings && { namespaces: [{ type: 'user' }], uidMappings, gidMappings };
}

/** rm(1) of folders in a user namespace. */
function removalPlan(config: Config, folders: readonly string[]): Plan {
  const request: Request = {
    id: 'removal', bundle: '/', rootfs: '/', folder: '/', held: false, preserveFds: 0, listenFds: 0, noPivot: false, noNewKeyring: true, cgroup: [],
  };
  const build: Build = { config, facts: probe({ ...config, root: { path: '/' } }, '/', []), request, cells: new Cells(), joined: [] };
  const [start, refused, gaveUp] = [label('rm'), label('refused'), label('rm was refused')];
  const mapped = runtimeLeads('ids are set');
  return {
    sections: [
      {
        name: 'runtime',
        items: [
          call('trap', [refused], 'what to do when a call is refused'), blockSignals(), ...(channel.before?.(build) ?? []),
          cloneInit(build, CLONE_NEWUSER, start).clone,
          ...[channel, openProcPid, userNamespace, mapped].flatMap((field) => field.after?.(build) ?? []),
          ...superviseSteps(build),
          refused, ...refusedSteps(build), call('exit_group', [1], 'the report is in the plan'),
        ],
      },
      {
        name: 'rm',
        items: [
          start, call('trap', [gaveUp], 'what to do when a call is refused'), unblockSignals(),
          ...[channel, mapped, becomeRoot].flatMap((field) => field.init?.(build) ?? []),
          call('execve', ['/bin/rm', cStrings(['rm', '-rf', '--', ...folders]), cStrings([])], 'only this namespace may remove them'),
          gaveUp, ...giveUp(build),
        ],
      },
    ],
  };
}
