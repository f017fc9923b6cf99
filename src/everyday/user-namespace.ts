import { DelosError } from '../lib/errors.ts';
import type { IdMapping } from '../oci/config/types.ts';
import type { HostFacts, IdRange } from './facts.ts';
import type { CreateFlags } from './flags.ts';
import { badFlag, badFlags } from './refusal.ts';

export interface Mappings {
  readonly uids: readonly IdMapping[];
  readonly gids: readonly IdMapping[];
}

const MAX_ID_COUNT = 2 ** 32 - 1;

/**
 * The mappings of the container's user namespace, or undefined for none. An ordinary user always gets one: root inside is the caller,
 * and the ids from 1 on are the caller's subordinate ids, as far as there are any. Root gets one when ids are mapped by flag.
 * Throws `bad-usage`, or `unsupported` for an ordinary user who wants none.
 */
export function userMappings(flags: Pick<CreateFlags, 'userns' | 'uidmap' | 'gidmap'>, host: HostFacts): Mappings | undefined {
  const { userns = '' } = flags;
  if (userns !== '' && userns !== 'host') throw badFlag('userns', userns, "expected 'host' or nothing; --uidmap and --gidmap choose the ids");
  const asked = flags.uidmap.length + flags.gidmap.length > 0;
  if (userns === 'host') {
    if (asked) throw badFlags('--userns host and --uidmap or --gidmap');
    if (host.uid !== 0) throw new DelosError('unsupported', '--userns host: an ordinary user can make containers only in a user namespace');
    return undefined;
  }
  if (!asked) return host.uid === 0 ? undefined : { uids: ownIds(host.uid, host.subuids), gids: ownIds(host.gid, host.subgids) };
  const uids = flags.uidmap.map((text) => parseMapping('uidmap', text));
  const gids = flags.gidmap.map((text) => parseMapping('gidmap', text));
  // One map given stands for both, as with podman.
  return { uids: disjoint('uidmap', uids.length > 0 ? uids : gids), gids: disjoint('gidmap', gids.length > 0 ? gids : uids) };
}

function ownIds(id: number, ranges: readonly IdRange[]): IdMapping[] {
  const mapped: IdMapping[] = [{ containerID: 0, hostID: id, size: 1 }];
  let next = 1;
  for (const { start, count } of ranges) {
    mapped.push({ containerID: next, hostID: start, size: count });
    next += count;
  }
  return mapped;
}

function parseMapping(flag: string, text: string): IdMapping {
  const match = /^(\d{1,10}):(\d{1,10}):(\d{1,10})$/.exec(text);
  const [containerID = 0, hostID = 0, size = 0] = (match ?? []).slice(1).map(Number);
  if (match === null || size < 1) throw badFlag(flag, text, 'expected inside:outside:count, such as 0:100000:65536');
  if (containerID + size > MAX_ID_COUNT || hostID + size > MAX_ID_COUNT) throw badFlag(flag, text, 'ids end at 4294967294');
  return { containerID, hostID, size };
}

function disjoint(flag: string, list: readonly IdMapping[]): readonly IdMapping[] {
  for (const side of ['containerID', 'hostID'] as const) {
    const sorted = list.toSorted((a, b) => a[side] - b[side]);
    const overlap = sorted.find((entry, i) => i > 0 && entry[side] < (sorted[i - 1]?.[side] ?? 0) + (sorted[i - 1]?.size ?? 0));
    if (overlap !== undefined) throw badFlag(flag, `${overlap.containerID}:${overlap.hostID}:${overlap.size}`, 'its ids overlap those of another mapping');
  }
  return list;
}

/** Whether an id inside stands for one outside. Without mappings every id does. */
export function isMapped(id: number, mapped: readonly IdMapping[] | undefined): boolean {
  return mapped === undefined || mapped.some(({ containerID, size }) => id >= containerID && id < containerID + size);
}
