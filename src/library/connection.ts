import fs from 'node:fs';
import path from 'node:path';
import { bridgeSurroundings, hostsOf, resolverOf } from '../containers/etc-network.ts';
import { networkEvent } from '../containers/events.ts';
import { ensureNameServer, hasNames } from '../containers/name-server.ts';
import { placeWish, type NetworkWish } from '../containers/network-wish.ts';
import { networksFolder, type Places } from '../containers/places.ts';
import { DelosError } from '../lib/errors.ts';
import { attach } from '../network/attach.ts';
import { detach } from '../network/detach.ts';
import { allLeases, type Lease } from '../network/lease.ts';
import { readProcessStat } from '../runtime/process-stat.ts';
import { serverCommand } from './places.ts';

/** Files of /etc that tell of a container's network, by their names; they are in its folder of the runtime. */
const etcNames = ['hostname', 'hosts', 'resolv.conf'] as const;

/** Where each is on the host, by its path inside. */
export function etcFilesOf(root: string, id: string): Record<string, string> {
  return Object.fromEntries(etcNames.map((name) => [`/etc/${name}`, path.join(root, id, name)]));
}

/** How a container of the library is connected. Its leases end with its first process, whoever is left to take them back. */
export class Connection {
  readonly #places: Places;
  readonly #root: string;
  readonly #id: string;
  /** The first is the one it was made with. */
  #wishes: readonly NetworkWish[];

  /** @param wish none of a container that is made without a bridge */
  constructor(places: Places, root: string, id: string, wish: NetworkWish | undefined) {
    [this.#places, this.#root, this.#id, this.#wishes] = [places, root, id, wish === undefined ? [] : [wish]];
  }

  get leases(): Lease[] {
    return allLeases(networksFolder(this.#places)).filter(({ container }) => container === this.#id);
  }

  /** Before the container is built, which has these files mounted. */
  makeFiles(): void {
    const [wish] = this.#wishes;
    if (wish === undefined) return;
    for (const name of etcNames) fs.writeFileSync(path.join(this.#root, this.#id, name), name === 'hostname' ? `${wish.hostname}\n` : '', { mode: 0o644 });
  }

  /** Connects it to the network it was made with. @param pid of its first process @throws DelosError what attach() throws; the signal's reason */
  async begin(pid: number, signal: AbortSignal | undefined): Promise<void> {
    const [wish] = this.#wishes;
    if (wish !== undefined) await this.#attach(wish, pid, signal);
  }

  /** One more network. @throws DelosError network-in-use when it is in it, and what attach() throws; the signal's reason */
  async join(wish: NetworkWish, pid: number, signal: AbortSignal | undefined): Promise<void> {
    await this.#attach(wish, pid, signal);
    if (!this.#wishes.some(({ network }) => network === wish.network)) this.#wishes = [...this.#wishes, wish];
    this.#writeFiles();
  }

  /** One network less. @throws DelosError no-network when it is not in it; the signal's reason */
  async leave(network: string, signal: AbortSignal | undefined): Promise<void> {
    const left = await detach(networksFolder(this.#places), this.#id, { network, ...(signal && { signal }) });
    if (left.length === 0) throw new DelosError('no-network', `container ${this.#id} is not connected to network ${network}`);
    this.#tell('disconnect', left);
    this.#wishes = this.#wishes.filter((wish) => wish.network !== network);
    this.#writeFiles();
  }

  /** When its processes are gone. It may be in no network. */
  async end(): Promise<void> {
    this.#tell('disconnect', await detach(networksFolder(this.#places), this.#id, { ended: true }));
  }

  async #attach(wish: NetworkWish, pid: number, signal: AbortSignal | undefined): Promise<void> {
    const stat = readProcessStat(pid);
    if (stat === undefined) throw new DelosError('wrong-state', `container ${this.#id} has ended`);
    const owner = { pid, startTime: String(stat.startTime) };
    await attach(networksFolder(this.#places), { ...placeWish(this.#id, wish, []), namespace: pid, process: owner }, signal);
    this.#tell('connect', [wish.network]);
    if (hasNames(wish.network)) await ensureNameServer(this.#places, wish.network, serverCommand(this.#places));
    this.#writeFiles();
  }

  /** In place: the container has them mounted, if it was made with a network. */
  #writeFiles(): void {
    const [wish] = this.#wishes;
    const [, hosts = '', resolver = ''] = etcNames.map((name) => path.join(this.#root, this.#id, name));
    if (wish === undefined || !fs.existsSync(hosts)) return;
    const surroundings = bridgeSurroundings(networksFolder(this.#places), this.#wishes);
    fs.writeFileSync(hosts, hostsOf(wish, this.leases, surroundings));
    fs.writeFileSync(resolver, resolverOf(wish, surroundings));
  }

  #tell(action: 'connect' | 'disconnect', networks: readonly string[]): void {
    for (const network of networks) networkEvent(this.#places, action, network, this.#id);
  }
}
