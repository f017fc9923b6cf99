import { call, type Item } from '../plan/step.ts';
import type { IdMapping } from './config/types.ts';
import { hasNew, hasOwnUser, type Field } from './field.ts';
import { runTool } from './hook-process.ts';
import { writeFile } from './open.ts';

/**
 * linux.uidMappings and gidMappings, user_namespaces(7). Only a process outside can write a map of more than its own id, so the
 * runtime does, while init waits. A map is one write. An unprivileged runtime gives up setgroups(2) first, and goes through
 * newuidmap(1) when the map is more than one line of its own id.
 */
export const userNamespace: Field = {
  at: ['/linux/uidMappings', '/linux/gidMappings'],
  support: 'full',
  after: (build) => {
    const { config, facts, cells } = build;
    if (!hasNew(config, 'user')) return [];
    const uids = config.linux?.uidMappings ?? [];
    const gids = config.linux?.gidMappings ?? [];
    if (facts.uid !== 0 && facts.idMapTools && !(isOwn(uids, facts.uid) && isOwn(gids, facts.gid))) {
      return [
        ...runTool(build, facts.idMapTools.uid, uids.flatMap(words), '/linux/uidMappings'),
        ...runTool(build, facts.idMapTools.gid, gids.flatMap(words), '/linux/gidMappings'),
      ];
    }
    const deny: Item[] = facts.uid === 0 ? [] : writeFile(build, cells.procPid, 'setgroups', 'deny', 'a gid_map without privilege');
    return [
      ...writeFile(build, cells.procPid, 'uid_map', lines(uids), '/linux/uidMappings'),
      ...deny,
      ...writeFile(build, cells.procPid, 'gid_map', lines(gids), '/linux/gidMappings'),
    ];
  },
};

/** Init is nobody until it takes an id of its new namespace: the root there, which then may do everything in it. */
export const becomeRoot: Field = {
  at: [],
  support: 'full',
  init: (build) =>
    hasOwnUser(build)
      ? [
          call('setresgid', [0, 0, 0], '/linux/gidMappings'),
          call('setresuid', [0, 0, 0], '/linux/uidMappings'),
        ]
      : [],
};

function words(mapping: IdMapping): string[] {
  return [String(mapping.containerID), String(mapping.hostID), String(mapping.size)];
}

function lines(mappings: readonly IdMapping[]): string {
  return mappings.map((mapping) => `${words(mapping).join(' ')}\n`).join('');
}

/** One line that maps one id to the runtime's own: what a process without privilege may write by itself. */
function isOwn(mappings: readonly IdMapping[], id: number): boolean {
  const [only] = mappings;
  return mappings.length === 1 && only?.hostID === id && only.size === 1;
}
