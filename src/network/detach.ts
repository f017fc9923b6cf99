import { allLeases } from './lease.ts';
import { lockNetworks } from './lock.ts';
import { openLingering, refused } from './sockets.ts';
import { takeOut } from './take-down.ts';

/** Which of a container's connections end. */
export interface DetachOptions {
  /** That to this network alone. */
  readonly network?: string;
  /** Its processes are gone: takeOut() says what that changes. */
  readonly ended?: boolean;
  /** Aborted, it ends the waiting for others who change networks. */
  readonly signal?: AbortSignal;
}

/**
 * Takes a container out of the networks that it is in. Does nothing when it is in none, so it can be called again. The bridge stays for the
 * next container.
 * @returns the names of the networks it was taken out of
 * @throws DelosError kernel-refused, network-in-use
 */
export async function detach(folder: string, container: string, { network, ended = false, signal }: DetachOptions = {}): Promise<string[]> {
  const isMeant = (lease: { container: string; network: string }): boolean => lease.container === container && (network ?? lease.network) === lease.network;
  if (!allLeases(folder).some(isMeant)) return [];
  using _ = await lockNetworks(folder, signal);
  const leases = allLeases(folder).filter(isMeant);
  using sockets = openLingering();
  try {
    for (const lease of leases) takeOut(sockets, folder, lease, ended);
  } catch (error) {
    throw refused(`container ${container}`, error);
  }
  return leases.map((lease) => lease.network);
}
