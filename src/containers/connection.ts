import fs from 'node:fs';
import { attach, type Attachment } from '../network/attach.ts';
import { detach } from '../network/detach.ts';
import { containerResolverText, hostsText, resolvedFile, type HostsEntry } from '../network/files.ts';
import type { PublishedPort } from '../network/published-port.ts';
import { fileOf, networksFolder, type Places } from './places.ts';
import type { Container } from './container.ts';

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
 * Connects a container that waits for its start to the network that it wants, if any, and writes down its addresses in its /etc.
 * @param pid of its first process
 * @throws DelosError what attach() throws
 */
export async function connect(places: Places, { id, name, network: wish }: Container, pid: number): Promise<void> {
  if (wish === undefined) return;
  const { network, hostname, aliases, ports, four, six, mac } = wish;
  const attachment = await attach(networksFolder(places), {
    container: id, network, namespace: pid, names: [name, id.slice(0, 12), hostname, ...aliases], ports, ...(mac !== undefined && { mac }),
    addresses: { ...(four !== undefined && { four }), ...(six !== undefined && { six }) },
  });
  // In place: the container has them mounted.
  rewrite(fileOf(places, id, 'etc/hosts'), hostsOf(wish, attachment));
  rewrite(fileOf(places, id, 'etc/resolv.conf'), resolverOf(wish));
}

/** Takes it out of all networks. It may be in none. */
export async function disconnect(places: Places, id: string): Promise<void> {
  await detach(networksFolder(places), id);
}

function rewrite(file: string, text: string): void {
  if (fs.existsSync(file)) fs.writeFileSync(file, text);
}

function hostsOf({ hostname, hosts }: NetworkWish, { four, six, fourGateway, sixGateway }: Attachment): string {
  const own = [four, six].flatMap((address): HostsEntry[] => (address === undefined ? [] : [{ address, names: [hostname] }]));
  const gateway = fourGateway ?? sixGateway ?? '';
  const added = hosts.map(({ name, address }): HostsEntry => ({ address: address === 'host-gateway' ? gateway : address, names: [name] }));
  return hostsText([...own, ...added]);
}

function resolverOf({ servers, search, options }: NetworkWish): string {
  return containerResolverText(readIfThere('/etc/resolv.conf') ?? '', {
    ...(servers.length > 0 && { servers }), ...(search.length > 0 && { search }), ...(options.length > 0 && { options }),
  }, readIfThere(resolvedFile));
}

function readIfThere(file: string): string | undefined {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
}
