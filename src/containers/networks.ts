import { DelosError } from '../lib/errors.ts';
import { createNetwork, removeNetwork, type NetworkWish } from '../network/create.ts';
import type { NetworkRecord } from '../network/record.ts';
import { listContainers } from './catalogue.ts';
import { networkEvent } from './events.ts';
import { networksFolder, type Places } from './places.ts';

/** Makes a network and tells of it. @param signal aborted, it ends the waiting for others @throws DelosError what createNetwork() throws */
export async function makeNetwork(places: Places, wish: NetworkWish, signal?: AbortSignal): Promise<NetworkRecord> {
  const record = await createNetwork(networksFolder(places), wish, signal);
  networkEvent(places, 'create', wish.name);
  return record;
}

/** Removes a network that no container is in, nor will be when it is started. @throws DelosError no-network, network-in-use, bad-network */
export async function dropNetwork(places: Places, name: string, signal?: AbortSignal): Promise<void> {
  const user = listContainers(places).find(({ networks }) => networks.some(({ network }) => network === name));
  if (user !== undefined) throw new DelosError('network-in-use', `network ${name} is used by container ${user.name}: remove or disconnect that first`);
  await removeNetwork(networksFolder(places), name, signal);
  networkEvent(places, 'destroy', name);
}
