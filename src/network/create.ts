import { RT_TABLE_LOCAL } from '../abi/rtnetlink.ts';
import { DelosError } from '../lib/errors.ts';
import { addressAt, formatAddress, formatSubnet, overlap, parseSubnet, type Subnet } from '../netlink/ip.ts';
import { maxNameBytes } from '../netlink/link.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { allRoutes } from './bridge.ts';
import { leasesOf } from './lease.ts';
import { lockNetworks } from './lock.ts';
import { builtIn, checkName, defaultDevice, defaultNetwork, rangeOf, type AddressRange, type NetworkRecord } from './record.ts';
import { allLinks, openSockets } from './sockets.ts';
import { bridgeNetworks, eraseRecord, findNetwork, inspectNetwork, writeRecord } from './store.ts';
import { chooseSubnet, chooseSubnetSix, firstAsGateway } from './subnet-choice.ts';
import { takeDown } from './take-down.ts';

/** How a network is to be. What is not said is chosen. */
export interface NetworkWish {
  readonly name: string;
  /** `10.5.0.0/16`, `fd00:5::/64`: at most one of each family. */
  readonly subnets?: readonly string[];
  /** In the order of the subnets. */
  readonly gateways?: readonly string[];
  /** IPv6 too, with a unique local subnet if none is given. */
  readonly ipv6?: boolean;
  readonly device?: string;
  readonly mtu?: number;
  readonly internal?: boolean;
  readonly isolated?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Makes a network: a record; its bridge is there as long as a container is in it.
 * @throws DelosError bad-network, network-in-use when the name, a subnet or the device is taken
 */
export async function createNetwork(folder: string, wish: NetworkWish, signal?: AbortSignal): Promise<NetworkRecord> {
  checkName(wish.name);
  using _ = await lockNetworks(folder, signal);
  using sockets = openSockets();
  return createLocked(folder, wish, sockets.route);
}

/** The same for who holds the lock. */
export function createLocked(folder: string, wish: NetworkWish, route: NetlinkSocket): NetworkRecord {
  if (findNetwork(folder, wish.name) !== undefined) throw new DelosError('network-in-use', `there is a network ${wish.name} already`);
  const known = bridgeNetworks(folder);
  const ranges = chooseRanges(wish, takenSubnets(route, known));
  const [four, six] = ([4, 6] as const).map((family) => ranges.find(({ subnet }) => subnet.includes(':') === (family === 6)));
  checkMtu(wish, six !== undefined);
  const record: NetworkRecord = {
    name: wish.name, driver: 'bridge', device: chooseDevice(wish, known, route), ...(four && { four }), ...(six && { six }),
    ...(wish.mtu !== undefined && { mtu: wish.mtu }), ...(wish.internal === true && { internal: true }), ...(wish.isolated === true && { isolated: true }),
    labels: wish.labels ?? {}, created: new Date().toISOString(),
  };
  writeRecord(folder, record);
  return record;
}

/** A network by its name; the default one is made when it is first used. The caller holds the lock. */
export function networkForUse(folder: string, name: string, route: NetlinkSocket): NetworkRecord {
  return findNetwork(folder, name) ?? (name === defaultNetwork ? createLocked(folder, { name }, route) : inspectNetwork(folder, name));
}

/**
 * Removes a network that no container is in.
 * @throws DelosError no-network, network-in-use, bad-network for those that are always there
 */
export async function removeNetwork(folder: string, name: string, signal?: AbortSignal): Promise<void> {
  if (builtIn.some((record) => record.name === name)) throw new DelosError('bad-network', `the network ${name} is always there`);
  using _ = await lockNetworks(folder, signal);
  const record = inspectNetwork(folder, name);
  const [lease] = leasesOf(folder, name);
  if (lease !== undefined) throw new DelosError('network-in-use', `network ${name}: container ${lease.container} is in it`);
  using sockets = openSockets();
  takeDown(sockets, folder, record);
  eraseRecord(folder, name);
}

function takenSubnets(route: NetlinkSocket, known: readonly NetworkRecord[]): Subnet[] {
  const routed = allRoutes(route).filter(({ destination, table }) => destination.prefix > 0 && table !== RT_TABLE_LOCAL).map(({ destination }) => destination);
  const ranges = known.flatMap(({ four, six }) => [four, six]).filter((range) => range !== undefined);
  return [...routed, ...ranges.map((range) => rangeOf(range, 'a network').subnet)];
}

function chooseRanges(wish: NetworkWish, taken: readonly Subnet[]): AddressRange[] {
  const about = `network ${wish.name}`;
  const chosen = (wish.subnets ?? []).map((text, index) => {
    const subnet = parseSubnet(text);
    if (subnet === undefined) throw new DelosError('bad-network', `${about}: ${text} is no subnet such as 10.5.0.0/16`);
    const range = { subnet: text, gateway: wish.gateways?.[index] ?? formatAddress(addressAt(subnet.address, 1) ?? subnet.address) };
    rangeOf(range, about);
    const other = taken.find((one) => overlap(one, subnet));
    if (other !== undefined) throw new DelosError('network-in-use', `${about}: ${text} has addresses in common with ${formatSubnet(other)}, which is in use`);
    return range;
  });
  const count = (six: boolean): number => chosen.filter(({ subnet }) => subnet.includes(':') === six).length;
  if (count(true) > 1 || count(false) > 1) throw new DelosError('bad-network', `${about}: a network has at most one subnet of each family`);
  if (chosen.length === 0) chosen.push(firstAsGateway(chooseSubnet(taken, wish.name === defaultNetwork ? 16 : 24)));
  if (wish.ipv6 === true && count(true) === 0) chosen.push(firstAsGateway(chooseSubnetSix()));
  return chosen;
}

/** IPv6 wants 1280 (RFC 8200, 5), IPv4 68 (RFC 791). */
function checkMtu({ name, mtu }: NetworkWish, six: boolean): void {
  const least = six ? 1280 : 68;
  if (mtu === undefined || (Number.isInteger(mtu) && mtu >= least && mtu <= 65535)) return;
  throw new DelosError('bad-network', `network ${name}: an MTU is from ${least} to 65535, not ${mtu}`);
}

function chooseDevice(wish: NetworkWish, known: readonly NetworkRecord[], route: NetlinkSocket): string {
  const taken = new Set([...known.map(({ device }) => device), ...allLinks(route).map(({ name }) => name)]);
  if (wish.device !== undefined) {
    // What the kernel takes: dev_valid_name() in net/core/dev.c.
    const isName = /^[^\s/:]{1,15}$/.test(wish.device) && Buffer.byteLength(wish.device) <= maxNameBytes && !/^\.\.?$/.test(wish.device);
    if (!isName) throw new DelosError('bad-network', `network ${wish.name}: ${JSON.stringify(wish.device)} is no name for a device`);
    if (taken.has(wish.device)) throw new DelosError('network-in-use', `network ${wish.name}: the host has a device ${wish.device}`);
    return wish.device;
  }
  // delos0 is left to the default network as long as it is free.
  for (let number = wish.name === defaultNetwork ? 0 : 1; ; number++) {
    const device = number === 0 ? defaultDevice : `delos${number}`;
    if (!taken.has(device)) return device;
  }
}
