import { parseAddress } from '../netlink/ip.ts';

/** What /etc/hosts of a container says of it. */
export interface HostsEntry {
  readonly address: string;
  /** The name first, then others. */
  readonly names: readonly string[];
}

/**
 * The text of /etc/hosts, hosts(5): the loopback, then each entry.
 * @param entries of the container itself in its networks, and those asked for: `--add-host`
 */
export function hostsText(entries: readonly HostsEntry[]): string {
  const loopback: HostsEntry[] = [
    { address: '127.0.0.1', names: ['localhost'] }, { address: '::1', names: ['localhost', 'ip6-localhost', 'ip6-loopback'] },
    { address: 'ff02::1', names: ['ip6-allnodes'] }, { address: 'ff02::2', names: ['ip6-allrouters'] },
  ];
  return [...loopback, ...entries].map(({ address, names }) => `${address}\t${names.join(' ')}\n`).join('');
}

/** What resolv.conf(5) says: where names are asked for, and how. */
export interface Resolver {
  /** Addresses, IPv6 with a zone perhaps. */
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** resolv.conf(5): of `search` and `domain` the last counts; lines that say nothing known are passed over. */
export function readResolver(text: string): Resolver {
  const lines = text.split('\n').map((line) => line.replace(/[#;].*$/, '').trim().split(/\s+/));
  const words = (keyword: string): string[] => lines.filter(([first]) => first === keyword).flatMap(([, ...rest]) => rest);
  const search = lines.findLast(([first]) => first === 'search' || first === 'domain')?.slice(1) ?? [];
  return { servers: words('nameserver').filter((server) => parseAddress(server.replace(/%.*$/, '')) !== undefined), search, options: words('options') };
}

export function resolverText({ servers, search, options }: Resolver): string {
  const line = (keyword: string, words: readonly string[]): string => (words.length === 0 ? '' : `${keyword} ${words.join(' ')}\n`);
  return [line('search', search), ...servers.map((server) => `nameserver ${server}\n`), line('options', options)].join('');
}

/** Who answers where the host has only itself: Quad9 and its IPv6. Any public resolver would do; a container has to be given some. */
const publicServers = ['9.9.9.9', '2620:fe::9'];

/** Where systemd-resolved keeps the servers that it asks, when resolv.conf names it alone. */
export const resolvedFile = '/run/systemd/resolve/resolv.conf';

/**
 * The servers that can be reached from another network than the host's own: none of the loopback's, and none with a zone, since
 * that is a device of the host.
 * @param resolved the text of {@link resolvedFile}, if there is one
 */
export function outsideServers(text: string, resolved?: string): string[] {
  const reachable = (from: string): string[] => readResolver(from).servers.filter((server) => !server.includes('%') && !isLoopback(server));
  const found = reachable(text);
  if (found.length > 0) return found;
  const behind = resolved === undefined ? [] : reachable(resolved);
  return behind.length > 0 ? behind : publicServers;
}

/** What a container is to be told, if not what the host has. */
export interface ResolverWish {
  /** `--dns`, or the name server of its network. */
  readonly servers?: readonly string[];
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}

/** The text of /etc/resolv.conf of a container, of what its host has and of what is wished. @param resolved as of {@link outsideServers} */
export function containerResolverText(host: string, wish: ResolverWish = {}, resolved?: string): string {
  const { search, options } = readResolver(host);
  // `--dns-search .` means none.
  const wanted = (wish.search ?? search).filter((domain) => domain !== '.');
  const servers = wish.servers !== undefined && wish.servers.length > 0 ? wish.servers : outsideServers(host, resolved);
  return resolverText({ servers, search: wanted, options: wish.options ?? options });
}

function isLoopback(server: string): boolean {
  const address = parseAddress(server);
  return address === undefined || address[0] === 127 || (address.length === 16 && address.every((byte, index) => byte === (index === 15 ? 1 : 0)));
}
