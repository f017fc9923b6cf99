import { deleteLink, setPort } from '../netlink/link.ts';
import { entriesOfLease, entriesOfNetwork } from './elements.ts';
import { dropLease, isUsed, type Lease } from './lease.ts';
import { forgetDatagrams, removeEntries, removeTable } from './packet-filter.ts';
import type { NetworkRecord } from './record.ts';
import { attempt, findLink, isOurBridge, type Sockets } from './sockets.ts';
import { bridgeNetworks } from './store.ts';

/**
 * Takes one container out of a network: its device, its entries, its lease. What is gone already is passed over. The caller holds the lock.
 * @param ended its processes are gone. Then the pair goes with their network namespace, which the kernel removes by itself, and takes some 20 ms
 *   that nobody needs to wait for; until then, or as long as somebody else is in that namespace, nothing passes through it.
 */
export function takeOut({ route, filter }: Sockets, folder: string, lease: Lease, ended = false): void {
  const link = findLink(route, lease.hostInterface);
  if (link?.kind === 'veth') attempt(route, ended && link.master !== undefined ? setPort(link.index, { closed: true }, link.name) : deleteLink(link.index, link.name), 'ENODEV');
  removeEntries(filter, folder, entriesOfLease(lease));
  forgetDatagrams(filter, lease);
  dropLease(folder, lease);
}

/** Removes the bridge and the entries of a network that no container is in; with the last such network goes the table. The caller holds the lock. */
export function takeDown({ route, filter }: Pick<Sockets, 'route' | 'filter'>, folder: string, record: NetworkRecord): void {
  const bridge = findLink(route, record.device);
  if (bridge !== undefined && isOurBridge(folder, bridge)) attempt(route, deleteLink(bridge.index, record.device), 'ENODEV');
  const others = bridgeNetworks(folder).some(({ name, device }) => name !== record.name && (isUsed(folder, name) || findLink(route, device) !== undefined));
  if (others) removeEntries(filter, folder, entriesOfNetwork(record));
  else removeTable(filter, folder);
}
