import fs from 'node:fs';
import path from 'node:path';
import { DelosError } from '../lib/errors.ts';
import { sha256 } from '../lib/sha256.ts';
import { isAlive } from '../runtime/process-stat.ts';
import { addressAt, contains, distance, formatAddress, parseAddress, sizeOf, type Address } from '../netlink/ip.ts';
import type { PublishedPort } from './published-port.ts';
import { rangeOf, type NetworkRecord } from './record.ts';
import { bridgeNetworks, leasesFolder, namesIn, readIfThere } from './store.ts';

/**
 * That a container is in a network: a file whose name is its address, in the folder of the network's leases. It is there before
 * anything is made in the kernel, so that whatever a killed process leaves is found by it. It goes last; what is left then is a pair of devices at most,
 * that the kernel is about to remove and that is known by its alias.
 */
export interface Lease {
  readonly network: string;
  readonly container: string;
  /** What it is called in the container, `eth0`. */
  readonly interface: string;
  /** The end of the pair that is a port of the bridge. */
  readonly hostInterface: string;
  readonly four?: string;
  readonly six?: string;
  /** `de:10:0a:d2:00:02` */
  readonly mac: string;
  /** Lower case: the container's name, its aliases. */
  readonly names: readonly string[];
  readonly ports: readonly PublishedPort[];
  /** The first process of a container that no folder tells of; the lease ends with it. */
  readonly process?: LeaseProcess;
}

/** A process for good: the pid may pass to another one. */
export interface LeaseProcess {
  readonly pid: number;
  /** Clock ticks since the start of the machine, in decimal. */
  readonly startTime: string;
}

/** Whether it is one whose process has ended. */
export function isOver({ process: owner }: Lease): boolean {
  return owner !== undefined && !isAlive({ pid: owner.pid, startTime: BigInt(owner.startTime) });
}

/** The leases of a network. A file that holds none is passed over: what was written when the machine went down. */
export function leasesOf(folder: string, network: string): Lease[] {
  const files = namesIn(leasesFolder(folder, network)).filter((name) => parseAddress(name) !== undefined);
  return files.map((name) => readLease(path.join(leasesFolder(folder, network), name), network)).filter((lease) => lease !== undefined);
}

/** Whether a container is in a network; quicker than reading all leases. */
export function isUsed(folder: string, network: string): boolean {
  return namesIn(leasesFolder(folder, network)).some((name) => parseAddress(name) !== undefined);
}

/** Those of all networks. */
export function allLeases(folder: string): Lease[] {
  return bridgeNetworks(folder).flatMap(({ name }) => leasesOf(folder, name));
}

function readLease(file: string, network: string): Lease | undefined {
  try {
    const lease = JSON.parse(readIfThere(file) ?? '') as Lease;
    return lease.network === network && typeof lease.container === 'string' ? lease : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The name of a lease's file: its address of IPv4, or of IPv6 where the network has that alone. */
function fileOf(folder: string, { network, four, six }: Pick<Lease, 'network' | 'four' | 'six'>): string {
  return path.join(leasesFolder(folder, network), four ?? six ?? '');
}

/**
 * Keeps a lease. The file appears with its content or not at all, and never over another one, so that no address is given twice
 * even to a process that does not hold the lock.
 * @throws DelosError network-in-use when the address is taken
 */
export function keepLease(folder: string, lease: Lease): void {
  const file = fileOf(folder, lease);
  const fresh = path.join(leasesFolder(folder, lease.network), `.${process.pid}.${lease.container.slice(0, 64)}`);
  fs.writeFileSync(fresh, `${JSON.stringify(lease)}\n`, { mode: 0o600 });
  try {
    fs.linkSync(fresh, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new DelosError('network-in-use', `network ${lease.network}: the address ${path.basename(file)} is taken`, { cause: error });
  } finally {
    fs.rmSync(fresh, { force: true });
  }
}

export function dropLease(folder: string, lease: Lease): void {
  fs.rmSync(fileOf(folder, lease), { force: true });
}

export interface Addresses {
  readonly four?: Address;
  readonly six?: Address;
}

/** What a caller wishes an address to be. */
export interface WantedAddresses {
  readonly four?: string;
  readonly six?: string;
}

/**
 * Free addresses of a network: those asked for, or the next behind the one given last, so that an address is not given again at once. That
 * of IPv6 has the same place in its subnet as that of IPv4. The caller holds the lock.
 * @param taken the leases of the network
 * @throws DelosError network-in-use, bad-network
 */
export function chooseAddresses(folder: string, record: NetworkRecord, wanted: WantedAddresses = {}, taken = leasesOf(folder, record.name)): Addresses {
  const six = choose(record, 'six', wanted.six, taken);
  const lead = record.four === undefined ? undefined : choose(record, 'four', wanted.four, taken) ?? next(folder, record, 'four', taken);
  if (record.four === undefined) return { six: six ?? next(folder, record, 'six', taken) };
  if (lead === undefined) throw new Error('assertion: a network without a subnet');
  return { four: lead, ...(record.six !== undefined && { six: six ?? beside(record, lead, taken) }) };
}

type Family = 'four' | 'six';

function familyRange(record: NetworkRecord, family: Family): ReturnType<typeof rangeOf> {
  const range = record[family];
  if (range === undefined) throw new DelosError('bad-network', `network ${record.name} has no addresses of IPv${family === 'four' ? 4 : 6}`);
  return rangeOf(range, `network ${record.name}`);
}

/** The address that was asked for. */
function choose(record: NetworkRecord, family: Family, wanted: string | undefined, taken: readonly Lease[]): Address | undefined {
  if (wanted === undefined) return undefined;
  const { subnet, gateway } = familyRange(record, family);
  const address = parseAddress(wanted);
  if (address === undefined || !contains(subnet, address)) {
    throw new DelosError('bad-network', `network ${record.name}: ${wanted} is no address of ${record[family]?.subnet}`);
  }
  const place = distance(subnet, address);
  if (place === 0n || (family === 'four' && place === sizeOf(subnet) - 1n) || formatAddress(address) === formatAddress(gateway)) {
    throw new DelosError('bad-network', `network ${record.name}: ${wanted} belongs to the network itself`);
  }
  const text = formatAddress(address);
  const holder = taken.find((lease) => lease[family] === text);
  if (holder !== undefined) throw new DelosError('network-in-use', `network ${record.name}: container ${holder.container} has the address ${text}`);
  return address;
}

/** The next free one, round the subnet; of IPv6 no more than 2^32 of its addresses are used. */
function next(folder: string, record: NetworkRecord, family: Family, taken: readonly Lease[]): Address {
  const { subnet, gateway } = familyRange(record, family);
  const used = new Set([formatAddress(gateway), ...taken.map((lease) => lease[family])]);
  const size = sizeOf(subnet);
  const last = Number(size > 1n << 32n ? 1n << 32n : size) - (family === 'four' ? 2 : 1);
  const file = path.join(leasesFolder(folder, record.name), '../last');
  const start = Number(readIfThere(file)?.trim() || 0) || 0;
  for (let step = 1; step <= last; step++) {
    const place = ((start + step - 1) % last) + 1;
    const address = addressAt(subnet.address, place);
    if (address === undefined || used.has(formatAddress(address))) continue;
    fs.writeFileSync(file, `${place}\n`, { mode: 0o600 });
    return address;
  }
  throw new DelosError('network-in-use', `network ${record.name}: all addresses of ${record[family]?.subnet} are taken`);
}

/** The address of IPv6 with the place that the one of IPv4 has. */
function beside(record: NetworkRecord, lead: Address, taken: readonly Lease[]): Address {
  const { subnet, gateway } = familyRange(record, 'six');
  const used = new Set([formatAddress(gateway), ...taken.map((lease) => lease.six)]);
  const place = distance(familyRange(record, 'four').subnet, lead);
  // A neighbour's wish may have taken it; far behind is room.
  for (const far of [0n, 1n << 20n, 1n << 21n, 1n << 22n]) {
    const address = place + far < sizeOf(subnet) ? addressAt(subnet.address, place + far) : undefined;
    if (address !== undefined && !used.has(formatAddress(address))) return address;
  }
  throw new DelosError('network-in-use', `network ${record.name}: no address of ${record.six?.subnet} is free beside ${formatAddress(lead)}`);
}

/** The hardware address that belongs to an address: local and of one station, `de:10` and its last four bytes. */
export function macOf({ four, six }: Addresses): Uint8Array {
  return Uint8Array.of(0xde, 0x10, ...(four ?? six ?? new Uint8Array(4)).slice(-4));
}

export function macText(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** How devices that Delos made on the host begin: with 12 hexadecimal digits that leaves one byte of the 15 there are. */
export const hostPrefix = 'dv';

/** The name of a container's port of a bridge. @param attempt another number gives another name */
export function hostInterfaceName(container: string, network: string, attempt = 0): string {
  return hostPrefix + sha256(`${container}\0${network}\0${attempt}`).slice(0, 12);
}
