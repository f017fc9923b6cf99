import { deleteConnection, getConnections, readConnection } from '../netlink/conntrack.ts';
import { parseAddress } from '../netlink/ip.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import type { Request } from '../netlink/message.ts';
import { readElements, readTable } from '../netlink/nftables/read.ts';
import { deleteElements, getElements, newElements } from '../netlink/nftables/set.ts';
import { batch, deleteTable, getTable } from '../netlink/nftables/table.ts';
import { bySet, entriesOfLease, entriesOfNetwork, identity, type Entry } from './elements.ts';
import { leasesOf, type Lease } from './lease.ts';
import { protocolNumber } from './published-port.ts';
import { makeTable, rulesNote, sets, type SetName } from './ruleset.ts';
import { attempt, tableOf, unless } from './sockets.ts';
import { bridgeNetworks } from './store.ts';

/** What all networks and their containers have in the sets. A network without a bridge may have it: its bridge must not come before its entries. */
export function expectedEntries(folder: string): Entry[] {
  return bridgeNetworks(folder).flatMap((record) => [...entriesOfNetwork(record), ...leasesOf(folder, record.name).flatMap(entriesOfLease)]);
}

/**
 * Sees to it that the table is there with the rules of this version of Delos. One that was flushed, or that another version made, is
 * made anew in one step with all that the records tell.
 * @returns whether it was made, and so has all entries
 */
export function ensureTable(filter: NetlinkSocket, folder: string): boolean {
  const table = tableOf(folder);
  const [found] = unless(['ENOENT'], () => filter.request(getTable(table))) ?? [];
  if (found !== undefined && Buffer.compare(readTable(found).note, rulesNote) === 0) return false;
  const entries = additions(table, expectedEntries(folder));
  filter.batch(batch, [...(found === undefined ? [] : [deleteTable(table)]), ...makeTable(table), ...entries]);
  return true;
}

export function addEntries(filter: NetlinkSocket, folder: string, entries: readonly Entry[]): void {
  filter.batch(batch, additions(tableOf(folder), entries));
}

function additions(table: string, entries: readonly Entry[]): Request[] {
  return [...bySet(entries)].flatMap(([set, list]) => newElements(table, set, list));
}

/** Takes entries out; those that are not there are passed over. */
export function removeEntries(filter: NetlinkSocket, folder: string, entries: readonly Entry[]): void {
  const table = tableOf(folder);
  const removals = (list: readonly Entry[]): Request[] => [...bySet(list)].flatMap(([set, some]) => deleteElements(table, set, some));
  if (unless(['ENOENT'], () => (filter.batch(batch, removals(entries)), true)) === true) return;
  const there = new Set(presentEntries(filter, folder).map(identity));
  filter.batch(batch, removals(entries.filter((entry) => there.has(identity(entry)))));
}

/** All that is in the sets; nothing when there is no table. */
export function presentEntries(filter: NetlinkSocket, folder: string): Entry[] {
  const table = tableOf(folder);
  return (Object.keys(sets) as SetName[]).flatMap((set) => {
    const messages = unless(['ENOENT'], () => filter.dump(getElements(table, set))) ?? [];
    return messages.flatMap(readElements).filter((element) => !isBoundary(set, element)).map((element): Entry => ({ set, ...element }));
  });
}

/** A set of intervals may begin with the end of nothing, at address 0, which nobody put there. */
function isBoundary(set: SetName, { key, end }: { readonly key: Uint8Array; readonly end?: boolean }): boolean {
  return set.startsWith('subnets') && end === true && key.every((byte) => byte === 0);
}

/**
 * Forgets what is known of datagrams to the published ports of a container. UDP has no end by which the kernel would know that the way has
 * changed: a client that goes on sending would keep the container that was there before, or none.
 */
export function forgetDatagrams(filter: NetlinkSocket, lease: Lease): void {
  const ports = new Set(lease.ports.filter(({ protocol }) => protocol === 'udp').map(({ hostPort }) => hostPort));
  if (ports.size === 0) return;
  for (const family of [4, 6] as const) {
    const text = family === 4 ? lease.four : lease.six;
    const address = text === undefined ? undefined : parseAddress(text);
    if (address === undefined) continue;
    // A kernel without this part of netlink says one of these; then such a client waits until the entry has grown old.
    const messages = unless(['EINVAL', 'EOPNOTSUPP', 'ENOENT', 'EPROTONOSUPPORT'], () => filter.dump(getConnections(family))) ?? [];
    for (const connection of messages.map(readConnection)) {
      const { original, reply } = connection;
      const isUnchanged = Buffer.compare(reply.source, original.destination) === 0 && Buffer.compare(reply.destination, original.source) === 0;
      const isOurs = original.protocol === protocolNumber.udp && ports.has(original.destinationPort);
      if (isOurs && (isUnchanged || Buffer.compare(reply.source, address) === 0)) attempt(filter, deleteConnection(family, connection), 'ENOENT');
    }
  }
}

/** Removes the table with everything in it. */
export function removeTable(filter: NetlinkSocket, folder: string): void {
  unless(['ENOENT'], () => filter.batch(batch, [deleteTable(tableOf(folder))]));
}
