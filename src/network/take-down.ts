import { deleteLink } from '../netlink/link.ts';
import { entriesOfLease, entriesOfNetwork } from './elements.ts';
import { dropLease, isUsed, type Lease } from './lease.ts';
import { forgetDatagrams, removeEntries, removeTable } from './packet-filter.ts';
import type { NetworkRecord } from './record.ts';
import { attempt, findLink, isOurBridge, type Sockets } from './sockets.ts';
import { bridgeNetworks } from './store.ts';

/** Takes one container out of a network: its device, its entries, its lease. What is gone already is passed over. The caller holds the lock. */
export function takeOut({ route, filter }: Sockets, folder: string, lease: Lease): void {
  const link = findLink(route, lease.hostInterface);
  // With the network namespace of a container that has ended the pair goes by itself.
  if (link?.kind === 'veth') attempt(route, deleteLink(link.index, link.name), 'ENODEV');
  removeEntries(filter, folder, entriesOfLease(lease));
  forgetDatagrams(filter, lease);
  dropLease(folder, lease);
}

/** Removes the bridge and the entries of a network that no container is in; with the last network goes the table. The caller holds the lock. */
export function takeDown({ route, filter }: Sockets, folder: string, record: NetworkRecord): void {
  const bridge = findLink(route, record.device);
  if (bridge !== undefined && isOurBridge(folder, bridge)) attempt(route, deleteLink(bridge.index, record.device), 'ENODEV');
  const others = bridgeNetworks(folder).some(({ name }) => name !== record.name && isUsed(folder, name));
  if (others) removeEntries(filter, folder, entriesOfNetwork(record));
  else removeTable(filter, folder);
}
