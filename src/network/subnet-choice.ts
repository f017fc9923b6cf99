import { randomBytes } from 'node:crypto';
import { DelosError } from '../lib/errors.ts';
import { addressAt, formatAddress, formatSubnet, overlap, type Subnet } from '../netlink/ip.ts';
import type { AddressRange } from './record.ts';

/** The range of a subnet whose gateway is its first address. */
export function firstAsGateway(subnet: Subnet): AddressRange {
  return { subnet: formatSubnet(subnet), gateway: formatAddress(addressAt(subnet.address, 1) ?? subnet.address) };
}

/** Private subnets (RFC 1918) in the order tried. Parts of 10/8 that neither docker (172.17), podman (10.88) nor kubernetes (10.96, 10.244) take. */
function* candidates(prefix: 16 | 24): Generator<Subnet> {
  const pools = [...range(10, 210, 239), ...range(172, 20, 31), [192, 168] as const];
  for (const [one, two] of pools) {
    if (prefix === 16) yield { address: Uint8Array.of(one, two, 0, 0), prefix };
    else for (let three = 0; three < 256; three++) yield { address: Uint8Array.of(one, two, three, 0), prefix };
  }
}

function range(one: number, from: number, to: number): (readonly [number, number])[] {
  return Array.from({ length: to - from + 1 }, (_, index) => [one, from + index] as const);
}

/**
 * The first private subnet that has no address in common with those taken: the host's routes, other networks.
 * @param prefix 16 for the default network, 24 for others
 * @throws DelosError network-in-use when there is none
 */
export function chooseSubnet(taken: readonly Subnet[], prefix: 16 | 24): Subnet {
  for (const candidate of candidates(prefix)) if (!taken.some((one) => one.address.length === 4 && overlap(one, candidate))) return candidate;
  throw new DelosError('network-in-use', 'the routes of this host leave no private subnet free: say which to take');
}

/** A unique local subnet with random bits, RFC 4193: fdXX:XXXX:XXXX::/64. */
export function chooseSubnetSix(): Subnet {
  const address = new Uint8Array(16);
  address.set([0xfd, ...randomBytes(5)]);
  return { address, prefix: 64 };
}
