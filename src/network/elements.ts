import { addressAt, parseAddress, type Address } from '../netlink/ip.ts';
import { concatenated, deviceName, interval, port, type Element } from '../netlink/nftables/set.ts';
import type { Lease } from './lease.ts';
import { hostAddressOf, isFor, protocolNumber, type PublishedPort } from './published-port.ts';
import { rangeOf, type NetworkRecord } from './record.ts';
import type { SetName } from './ruleset.ts';

/** An element and the set it belongs to. */
export interface Entry extends Element {
  readonly set: SetName;
}

/** What a network puts into the sets of the packet filter. */
export function entriesOfNetwork(record: NetworkRecord): Entry[] {
  const device = deviceName(record.device);
  const ranges = ([[4, record.four], [6, record.six]] as const).flatMap(([family, range]) => {
    if (range === undefined) return [];
    const { subnet, gateway } = rangeOf(range, `network ${record.name}`);
    return [
      ...interval(subnet).map((element): Entry => ({ set: `subnets${family}`, ...element })), { set: `gateways${family}` as const, key: gateway },
    ];
  });
  return [
    { set: 'bridges', key: device }, ...(record.internal === true ? [{ set: 'internal', key: device } as const] : []),
    ...(record.isolated === true ? [] : [{ set: 'within', key: concatenated(device, device) } as const]), ...ranges,
  ];
}

/** What a container in a network does: its addresses, counted in both directions, and its published ports. */
export function entriesOfLease({ four, six, ports }: Lease): Entry[] {
  return ([[4, four], [6, six]] as const).flatMap(([family, text]): Entry[] => {
    const address = text === undefined ? undefined : parseAddress(text);
    if (address === undefined) return [];
    return [
      { set: `from${family}`, key: address }, { set: `to${family}`, key: address },
      ...ports.filter((one) => isFor(one, family)).map((one) => entryOfPort(family, address, one)),
    ];
  });
}

/** One published port: where it leads, by protocol and port, and by the host's address if it has one. */
export function entryOfPort(family: 4 | 6, address: Address, published: PublishedPort): Entry {
  const at = hostAddressOf(published);
  const key = [Uint8Array.of(protocolNumber[published.protocol]), port(published.hostPort)];
  const data = concatenated(address, port(published.containerPort));
  return at === undefined ? { set: `publish${family}`, key: concatenated(...key), data } : { set: `publish${family}_at`, key: concatenated(at, ...key), data };
}

/** A key that no other element has: its set, its bytes, and whether it ends an interval. */
export function identity({ set, key, end }: Entry): string {
  return `${set} ${Buffer.from(key).toString('hex')}${end === true ? ' end' : ''}`;
}

/** Entries by their set. */
export function bySet(entries: readonly Entry[]): Map<SetName, Entry[]> {
  return Map.groupBy(entries, ({ set }) => set);
}

/** The last address of a subnet of IPv4: what reaches all of its hosts. */
export function broadcastOf(record: NetworkRecord): Address | undefined {
  if (record.four === undefined) return undefined;
  const { subnet } = rangeOf(record.four, record.name);
  return addressAt(subnet.address, (1n << BigInt(32 - subnet.prefix)) - 1n);
}
