import { allLeases, isUsed } from './lease.ts';
import { lockNetworks } from './lock.ts';
import { openSockets, refused } from './sockets.ts';
import { bridgeNetworks } from './store.ts';
import { takeDown, takeOut } from './take-down.ts';

/**
 * Takes a container out of a network, or of all that it is in. Does nothing when it is in none, so it can be called again. With
 * the last container of a network its bridge goes.
 * @returns the names of the networks it was taken out of
 * @throws DelosError kernel-refused, network-in-use
 */
export async function detach(folder: string, container: string, network?: string): Promise<string[]> {
  const isMeant = (lease: { container: string; network: string }): boolean => lease.container === container && (network ?? lease.network) === lease.network;
  if (!allLeases(folder).some(isMeant)) return [];
  using _ = await lockNetworks(folder);
  const leases = allLeases(folder).filter(isMeant);
  using sockets = openSockets();
  try {
    for (const lease of leases) takeOut(sockets, folder, lease);
    for (const record of bridgeNetworks(folder)) {
      if (leases.some((lease) => lease.network === record.name) && !isUsed(folder, record.name)) takeDown(sockets, folder, record);
    }
  } catch (error) {
    throw refused(`container ${container}`, error);
  }
  return leases.map((lease) => lease.network);
}
