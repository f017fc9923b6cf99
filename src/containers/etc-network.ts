import fs from 'node:fs';
import { containerResolverText, hostsText, resolvedFile, type HostsEntry, type Resolver } from '../network/files.ts';
import type { Lease } from '../network/lease.ts';
import { inspectNetwork } from '../network/store.ts';
import { hasNames } from './name-server.ts';
import type { NetworkWish } from './network-wish.ts';

/** What a container's network itself has to say for /etc. */
export interface Surroundings extends Partial<Resolver> {
  /** Where the host is: `host-gateway`. */
  host(): string;
}

/** Of networks with a bridge: the first one's gateway is the host, and the first that has names has the name server. */
export function bridgeSurroundings(folder: string, networks: readonly NetworkWish[]): Surroundings {
  const gateways = (wish: NetworkWish | undefined): string[] => {
    if (wish === undefined) return [];
    const { four, six } = inspectNetwork(folder, wish.network);
    return [four, six].flatMap((range) => range?.gateway ?? []);
  };
  return { host: () => gateways(networks[0])[0] ?? '', servers: gateways(networks.find(({ network }) => hasNames(network))) };
}

/** The text of /etc/hosts of a container with these leases. */
export function hostsOf({ hostname, hosts }: NetworkWish, leases: readonly Lease[], { host }: Surroundings): string {
  const addresses = leases.flatMap((lease) => [lease.four, lease.six]).filter((address) => address !== undefined);
  const own = (addresses.length === 0 ? ['127.0.1.1'] : addresses).map((address): HostsEntry => ({ address, names: [hostname] }));
  const added = hosts.map(({ name, address }): HostsEntry => ({ address: address === 'host-gateway' ? host() : address, names: [name] }));
  return hostsText([...own, ...added]);
}

/** The text of /etc/resolv.conf: what was asked for, else what the network has, else what the host has. */
export function resolverOf(wish: NetworkWish, surroundings: Surroundings): string {
  const said = (name: 'servers' | 'search' | 'options'): Partial<Resolver> => {
    const words = [wish[name], surroundings[name] ?? []].find(({ length }) => length > 0);
    return words === undefined ? {} : { [name]: words };
  };
  return containerResolverText(readIfThere('/etc/resolv.conf') ?? '', { ...said('servers'), ...said('search'), ...said('options') }, readIfThere(resolvedFile));
}

function readIfThere(file: string): string | undefined {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
}
