import fs from 'node:fs';
import { DelosError } from '../lib/errors.ts';
import { attach } from '../network/attach.ts';
import { detach } from '../network/detach.ts';
import { containerResolverText, hostsText, resolvedFile, type HostsEntry } from '../network/files.ts';
import { allLeases, type Lease } from '../network/lease.ts';
import type { PublishedPort } from '../network/published-port.ts';
import type { NetworkRecord } from '../network/record.ts';
import { inspectNetwork } from '../network/store.ts';
import type { UserModeProgram } from '../network/user-mode/program.ts';
import { endUserMode, userModeLease } from '../network/user-mode/record.ts';
import { userModes } from '../network/user-mode/start.ts';
import { changeContainer } from './catalogue.ts';
import type { Container } from './container.ts';
import { networkEvent } from './events.ts';
import { ensureNameServer, hasNames } from './name-server.ts';
import { fileOf, networksFolder, type Places } from './places.ts';
import { standingOf } from './standing.ts';
import { hostAddress, joinUserMode, refuseUserMode, userModeOf } from './user-mode.ts';

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

/**
 * Connects a container that waits for its start to the networks that it wants, and writes down its addresses in its /etc.
 * @param pid of its first process
 * @param command this program and its global flags, to serve names
 * @throws DelosError what attach() throws
 */
export async function connect(places: Places, container: Container, pid: number, command: readonly string[]): Promise<void> {
  const program = userModeOf(container);
  if (program !== undefined) await joinUserMode(places, container, program, pid);
  else for (const wish of container.networks) await attachTo(places, container, wish, pid, command);
  writeNames(places, container);
}

/** Takes it out of all networks. It may be in none. */
export async function disconnect(places: Places, id: string): Promise<void> {
  await endUserMode(fileOf(places, id));
  for (const network of await detach(networksFolder(places), id)) networkEvent(places, 'disconnect', network, id);
}

/** One more network for a container, at once if it runs. @param command as of {@link connect} @throws DelosError exists, and what attach() throws */
export async function joinNetwork(places: Places, { id, name, networks }: Container, wish: NetworkWish, command: readonly string[]): Promise<void> {
  refuseUserMode(name, [wish, ...networks]);
  const changed = await changeContainer(places, id, (container) => {
    if (container.networks.some(({ network }) => network === wish.network)) throw new DelosError('exists', `container ${name} is connected to network ${wish.network} already`);
    return { ...container, networks: [...container.networks, wish] };
  });
  const { pid } = standingOf(places, changed);
  if (pid === 0) return;
  try {
    await attachTo(places, changed, wish, pid, command);
    writeNames(places, changed);
  } catch (error) {
    await forget(places, id, wish.network);
    throw error;
  }
}

/** One network less, at once if it runs. @throws DelosError no-network when it is not in it */
export async function leaveNetwork(places: Places, { id, name, networks }: Container, network: string): Promise<void> {
  if (!networks.some((wish) => wish.network === network)) throw new DelosError('no-network', `container ${name} is not connected to network ${network}`);
  refuseUserMode(name, networks);
  const changed = await forget(places, id, network);
  for (const left of await detach(networksFolder(places), id, network)) networkEvent(places, 'disconnect', left, id);
  writeNames(places, changed);
}

function forget(places: Places, id: string, network: string): Promise<Container> {
  return changeContainer(places, id, (container) => ({ ...container, networks: container.networks.filter((wish) => wish.network !== network) }));
}

/** Where a container is connected now. */
export function connectionsOf(places: Places, id: string): Lease[] {
  const userMode = userModeLease(fileOf(places, id));
  return [...(userMode === undefined ? [] : [userMode]), ...allLeases(networksFolder(places)).filter(({ container }) => container === id)];
}

async function attachTo(places: Places, { id, name }: Container, wish: NetworkWish, pid: number, command: readonly string[]): Promise<void> {
  const { network, hostname, aliases, ports, four, six, mac } = wish;
  await attach(networksFolder(places), {
    container: id, network, namespace: pid, names: [name, id.slice(0, 12), hostname, ...aliases], ports, ...(mac !== undefined && { mac }),
    addresses: { ...(four !== undefined && { four }), ...(six !== undefined && { six }) },
  });
  networkEvent(places, 'connect', network, id);
  if (hasNames(network)) await ensureNameServer(places, network, command);
}

/** In place: the container has the files mounted. */
function writeNames(places: Places, container: Container): void {
  const { id, networks } = container;
  const [first] = networks;
  const [hosts, resolver] = [fileOf(places, id, 'etc/hosts'), fileOf(places, id, 'etc/resolv.conf')];
  if (first === undefined || !fs.existsSync(resolver)) return;
  const program = userModeOf(container);
  const gateway = (): string => (program === undefined ? gatewaysOf(inspectNetwork(networksFolder(places), first.network))[0] ?? '' : hostAddress(program));
  fs.writeFileSync(hosts, hostsOf(first, connectionsOf(places, id), gateway));
  fs.writeFileSync(resolver, resolverOf(first, nameServers(places, networks, program)));
}

function hostsOf({ hostname, hosts }: NetworkWish, leases: readonly Lease[], gateway: () => string): string {
  const addresses = leases.flatMap((lease) => [lease.four, lease.six]).filter((address) => address !== undefined);
  const own = (addresses.length === 0 ? ['127.0.1.1'] : addresses).map((address): HostsEntry => ({ address, names: [hostname] }));
  const added = hosts.map(({ name, address }): HostsEntry => ({ address: address === 'host-gateway' ? gateway() : address, names: [name] }));
  return hostsText([...own, ...added]);
}

/** The servers of the container's own network, if it has any. */
function nameServers(places: Places, networks: readonly NetworkWish[], program: UserModeProgram | undefined): readonly string[] {
  const server = program && userModes[program].resolver;
  if (server !== undefined) return [server];
  const named = program === undefined ? networks.find(({ network }) => hasNames(network)) : undefined;
  return named === undefined ? [] : gatewaysOf(inspectNetwork(networksFolder(places), named.network));
}

function gatewaysOf({ four, six }: NetworkRecord): readonly string[] {
  return [four, six].flatMap((range) => range?.gateway ?? []);
}

/** @param own what {@link nameServers} gives */
function resolverOf({ servers, search, options }: NetworkWish, own: readonly string[]): string {
  const asked = servers.length > 0 ? servers : own;
  return containerResolverText(readIfThere('/etc/resolv.conf') ?? '', {
    ...(asked.length > 0 && { servers: asked }), ...(search.length > 0 && { search }), ...(options.length > 0 && { options }),
  }, readIfThere(resolvedFile));
}

function readIfThere(file: string): string | undefined {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
}
