import type { PublishedPort } from '../network/published-port.ts';
import type { Wish } from '../network/reservation.ts';

/** What a container asks of a network with a bridge. */
export interface NetworkWish {
  readonly network: string;
  /** What it is called, and what /etc/hosts calls it. */
  readonly hostname: string;
  /** What other containers of the network call it, besides its name. */
  readonly aliases: readonly string[];
  readonly ports: readonly PublishedPort[];
  readonly four?: string;
  readonly six?: string;
  readonly mac?: string;
  /** For /etc/hosts; `host-gateway` stands for the network's gateway. */
  readonly hosts: readonly AddedHost[];
  /** For /etc/resolv.conf, where it is not to be as the host's. */
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

export interface AddedHost {
  readonly name: string;
  readonly address: string;
}

/** The same in the words of the networks. @param names what other containers call it, besides its id's beginning, its hostname and aliases */
export function placeWish(id: string, { network, hostname, aliases, ports, four, six, mac }: NetworkWish, names: readonly string[]): Wish {
  return {
    container: id, network, names: [...names, id.slice(0, 12), hostname, ...aliases], ports, ...(mac !== undefined && { mac }),
    addresses: { ...(four !== undefined && { four }), ...(six !== undefined && { six }) },
  };
}
