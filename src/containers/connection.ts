import fs from 'node:fs';
import { DelosError } from '../lib/errors.ts';
import { devicesIn, plug } from '../network/attach.ts';
import { detach } from '../network/detach.ts';
import { allLeases, type Lease } from '../network/lease.ts';
import { reserve, type Reservation } from '../network/reservation.ts';
import { endUserMode, userModeLease } from '../network/user-mode/record.ts';
import { userModes } from '../network/user-mode/start.ts';
import { changeContainer } from './catalogue.ts';
import { cniAnswer, cniLease, cniNameOf, joinCni, leaveCni } from './cni.ts';
import type { Container } from './container.ts';
import { bridgeSurroundings, hostsOf, resolverOf, type Surroundings } from './etc-network.ts';
import { networkEvent } from './events.ts';
import { ensureNameServer, hasNames } from './name-server.ts';
import { placeWish, type NetworkWish } from './network-wish.ts';
import { fileOf, networksFolder, type Places } from './places.ts';
import { standingOf } from './standing.ts';
import { hostAddress, joinUserMode, userModeOf } from './user-mode.ts';

/**
 * Reserves a container's places in the networks that it wants. It needs no process of the container, so it is done while that is built. What it
 * has reserved disconnect() takes back.
 * @param devices names of devices that it will have already
 * @param command this program and its global flags, to serve names
 * @throws DelosError what reserve() throws
 */
export async function reservePlaces(places: Places, container: Container, devices: readonly string[], command: readonly string[]): Promise<readonly Reservation[]> {
  if (userModeOf(container) !== undefined || cniNameOf(container) !== undefined) return [];
  const reservations: Reservation[] = [];
  for (const wish of container.networks) reservations.push(await reserveFor(places, container, wish, devices, command));
  return reservations;
}

/**
 * Connects a container that waits for its start to the networks that it wants, and writes down its addresses in its /etc.
 * @param pid of its first process
 * @param reservations what reservePlaces() has given
 * @throws DelosError what plug(), joinUserMode() and joinCni() throw
 */
export async function connect(places: Places, container: Container, pid: number, reservations: readonly Reservation[]): Promise<void> {
  const [program, cni] = [userModeOf(container), cniNameOf(container)];
  if (program !== undefined) await joinUserMode(places, container, program, pid);
  else if (cni !== undefined) await joinCni(places, container, cni, pid);
  else for (const reservation of reservations) plugIn(places, container, reservation, pid);
  writeNames(places, container);
}

/** Takes a container whose processes are gone out of all networks. It may be in none. */
export async function disconnect(places: Places, id: string): Promise<void> {
  await endUserMode(fileOf(places, id));
  await leaveCni(places, id);
  for (const network of await detach(networksFolder(places), id, { ended: true })) networkEvent(places, 'disconnect', network, id);
}

/** One more network for a container, at once if it runs. @param command as of {@link reservePlaces} @throws DelosError exists, and what attach() throws */
export async function joinNetwork(places: Places, { id, name, networks }: Container, wish: NetworkWish, command: readonly string[]): Promise<void> {
  refuseOthers(name, [wish, ...networks]);
  const changed = await changeContainer(places, id, (container) => {
    if (container.networks.some(({ network }) => network === wish.network)) throw new DelosError('exists', `container ${name} is connected to network ${wish.network} already`);
    return { ...container, networks: [...container.networks, wish] };
  });
  const { pid } = standingOf(places, changed);
  if (pid === 0) return;
  try {
    const devices = devicesIn(id, pid);
    plugIn(places, changed, await reserveFor(places, changed, wish, devices, command), pid);
    writeNames(places, changed);
  } catch (error) {
    await detach(networksFolder(places), id, { network: wish.network });
    await forget(places, id, wish.network);
    throw error;
  }
}

/** One network less, at once if it runs. @throws DelosError no-network when it is not in it */
export async function leaveNetwork(places: Places, { id, name, networks }: Container, network: string): Promise<void> {
  if (!networks.some((wish) => wish.network === network)) throw new DelosError('no-network', `container ${name} is not connected to network ${network}`);
  refuseOthers(name, networks);
  const changed = await forget(places, id, network);
  for (const left of await detach(networksFolder(places), id, { network })) networkEvent(places, 'disconnect', left, id);
  writeNames(places, changed);
}

function forget(places: Places, id: string, network: string): Promise<Container> {
  return changeContainer(places, id, (container) => ({ ...container, networks: container.networks.filter((wish) => wish.network !== network) }));
}

/** @throws DelosError unsupported for a container whose network is a program or CNI's: it has no other one */
function refuseOthers(name: string, networks: readonly NetworkWish[]): void {
  const alone = networks.find((wish) => userModeOf({ networks: [wish] }) !== undefined || cniNameOf({ networks: [wish] }) !== undefined);
  if (alone !== undefined) throw new DelosError('unsupported', `container ${name}: network ${alone.network} is a container's only one: it is not connected to others, nor disconnected`);
}

/** Where a container is connected now. */
export function connectionsOf(places: Places, id: string): Lease[] {
  const others = [userModeLease(fileOf(places, id)), cniLease(places, id)].filter((lease) => lease !== undefined);
  return [...others, ...allLeases(networksFolder(places)).filter(({ container }) => container === id)];
}

async function reserveFor(places: Places, { id, name }: Container, wish: NetworkWish, devices: readonly string[], command: readonly string[]): Promise<Reservation> {
  const reservation = await reserve(networksFolder(places), placeWish(id, wish, [name]), devices);
  if (hasNames(wish.network)) await ensureNameServer(places, wish.network, command);
  return reservation;
}

function plugIn(places: Places, { id }: Container, reservation: Reservation, pid: number): void {
  plug(networksFolder(places), reservation, pid);
  networkEvent(places, 'connect', reservation.record.name, id);
}

/** In place: the container has the files mounted. */
function writeNames(places: Places, container: Container): void {
  const { id, networks: [first] } = container;
  const [hosts, resolver] = [fileOf(places, id, 'etc/hosts'), fileOf(places, id, 'etc/resolv.conf')];
  if (first === undefined || !fs.existsSync(resolver)) return;
  const surroundings = surroundingsOf(places, container);
  fs.writeFileSync(hosts, hostsOf(first, connectionsOf(places, id), surroundings));
  fs.writeFileSync(resolver, resolverOf(first, surroundings));
}

function surroundingsOf(places: Places, container: Container): Surroundings {
  const program = userModeOf(container);
  if (program !== undefined) return { host: () => hostAddress(program), servers: [userModes[program].resolver].filter((server) => server !== undefined) };
  if (cniNameOf(container) === undefined) return bridgeSurroundings(networksFolder(places), container.networks);
  const answer = cniAnswer(places, container.id);
  return { ...answer, host: () => answer?.gateways[0] ?? '' };
}
