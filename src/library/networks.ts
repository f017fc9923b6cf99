import { listContainers } from '../containers/catalogue.ts';
import { joinNetwork, leaveNetwork } from '../containers/connection.ts';
import type { Container as KeptContainer } from '../containers/container.ts';
import { dropNetwork, makeNetwork } from '../containers/networks.ts';
import { networksFolder, type Places } from '../containers/places.ts';
import { furtherNetwork } from '../everyday/network.ts';
import type { NetworkWish } from '../network/create.ts';
import { leasesOf } from '../network/lease.ts';
import type { AddressRange, NetworkRecord } from '../network/record.ts';
import { inspectNetwork, listNetworks } from '../network/store.ts';
import { resolveContainer } from '../vocabulary/names.ts';
import { connectedNetwork, Container, type ConnectedNetwork } from './container.ts';
import type { SignalOptions } from './options.ts';
import { placesOf, serverCommand } from './places.ts';

/** Where networks are kept, and who stops the waiting for others who change them. */
export interface NetworkStoreOptions extends SignalOptions {
  /** Default: where the command keeps them, /var/lib/delos or `~/.local/share/delos`. */
  readonly store?: string;
}

/** How a network is to be; what is not said is chosen. */
export type NetworkOptions = NetworkStoreOptions & Omit<NetworkWish, 'name'>;

/** How a container is to be in a network. */
export interface ConnectOptions extends NetworkStoreOptions {
  /** Other names of it there. */
  readonly aliases?: readonly string[];
  readonly ip?: string;
  readonly ip6?: string;
}

/** A network as it is. */
export interface NetworkSummary {
  readonly name: string;
  /** `host` and `none` are always there. */
  readonly driver: 'bridge' | 'host' | 'none';
  /** The bridge on this machine; empty where there is none. */
  readonly device: string;
  /** Of IPv4 and of IPv6, each with its gateway, which is the name server too. */
  readonly subnets: readonly AddressRange[];
  readonly mtu?: number;
  readonly internal: boolean;
  readonly isolated: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly created: string;
  /** By id. */
  readonly containers: Readonly<Record<string, ConnectedNetwork>>;
}

function summary(places: Places, { name, driver, device, four, six, mtu, internal, isolated, labels, created }: NetworkRecord): NetworkSummary {
  const leases = driver === 'bridge' ? leasesOf(networksFolder(places), name) : [];
  return {
    name, driver, device, subnets: [four, six].filter((range) => range !== undefined), ...(mtu !== undefined && { mtu }),
    internal: internal === true, isolated: isolated === true, labels, created,
    containers: Object.fromEntries(leases.map((lease) => [lease.container, connectedNetwork(lease)])),
  };
}

function find(places: Places, word: string): KeptContainer {
  return resolveContainer(word, listContainers(places));
}

/** Networks with a bridge, which the command uses too. To make, change or remove one takes root. */
export const networks = {
  /** Makes one; its bridge appears with the first container. @throws DelosError bad-network, network-in-use; the signal's reason */
  async create(name: string, { store, signal, ...wish }: NetworkOptions = {}): Promise<NetworkSummary> {
    const places = placesOf(store);
    return summary(places, await makeNetwork(places, { name, ...wish }, signal));
  },

  /** All networks, by name. */
  async list({ store }: NetworkStoreOptions = {}): Promise<NetworkSummary[]> {
    const places = placesOf(store);
    return listNetworks(networksFolder(places)).map((record) => summary(places, record));
  },

  /** @throws DelosError no-network */
  async inspect(name: string, { store }: NetworkStoreOptions = {}): Promise<NetworkSummary> {
    const places = placesOf(store);
    return summary(places, inspectNetwork(networksFolder(places), name));
  },

  /** Removes one that no container is in. @throws DelosError no-network, network-in-use, bad-network; the signal's reason */
  async remove(name: string, { store, signal }: NetworkStoreOptions = {}): Promise<void> {
    await dropNetwork(placesOf(store), name, signal);
  },

  /**
   * Connects a container to one more network: one that `create()` gave, as long as it has not ended, or one of the command's by its name or id.
   * @throws DelosError no-network, network-in-use, exists, bad-usage, bad-network, wrong-state, not-found; the signal's reason
   */
  async connect(network: string, container: Container | string, { store, signal, ...wanted }: ConnectOptions = {}): Promise<void> {
    if (container instanceof Container) return container.connection.join(furtherNetwork({ id: container.id, name: container.id, flags: {} }, network, wanted), container.pid, signal);
    const places = placesOf(store);
    signal?.throwIfAborted();
    if (network !== 'bridge') inspectNetwork(networksFolder(places), network);
    const kept = find(places, container);
    await joinNetwork(places, kept, furtherNetwork(kept, network, wanted), serverCommand(places));
  },

  /** Takes it out of a network. @throws DelosError no-network when it is not in it, not-found; the signal's reason */
  async disconnect(network: string, container: Container | string, { store, signal }: NetworkStoreOptions = {}): Promise<void> {
    if (container instanceof Container) return container.connection.leave(network, signal);
    const places = placesOf(store);
    signal?.throwIfAborted();
    await leaveNetwork(places, find(places, container), network);
  },
} as const;
