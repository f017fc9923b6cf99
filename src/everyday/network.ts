import type { AddedHost, NetworkWish } from '../containers/network-wish.ts';
import type { Container } from '../containers/container.ts';
import { DelosError } from '../lib/errors.ts';
import { defaultNetwork } from '../network/record.ts';
import { isUserMode, type UserModeProgram } from '../network/user-mode/program.ts';
import { shortId } from '../vocabulary/names.ts';
import { parsePublish } from '../vocabulary/publish-flag.ts';
import type { RunOptions } from './flags.ts';
import { badFlag, badFlags } from './refusal.ts';

const ownNetworks: readonly string[] = ['none', 'host'];

/** Whether `--network` names a network that has a bridge. */
export function isBridged(network: string): boolean {
  return !ownNetworks.includes(network) && !network.startsWith('container:');
}

/**
 * Reads the flags about a network. Nothing for a container that is in none with a bridge.
 * @param exposed ports of the image, `80/tcp`, for `--publish-all`
 * @throws DelosError bad-usage
 */
export function networkWish(options: RunOptions, exposed: readonly string[]): NetworkWish | undefined {
  const { network, ip: four, ip6: six, 'mac-address': mac, 'network-alias': aliases } = options;
  if (!isBridged(network)) return refuseAddresses(options);
  const all = options['publish-all'] ? [...exposed, ...options.expose] : [];
  return {
    network, hostname: options.hostname ?? shortId(options.id), aliases, ports: [...options.publish, ...all].flatMap(parsePublish),
    ...(four !== undefined && { four }), ...(six !== undefined && { six }), ...(mac !== undefined && { mac }),
    hosts: addedHosts(options), servers: options.dns, search: options['dns-search'], options: options['dns-option'],
  };
}

function refuseAddresses({ network, ip, ip6, 'mac-address': mac, 'network-alias': [alias], publish: [port] }: RunOptions): undefined {
  const lost = Object.entries({ ip, ip6, 'mac-address': mac, 'network-alias': alias, publish: port }).find(([, value]) => value !== undefined);
  if (lost !== undefined) throw badFlags(`--${lost[0]} and --network ${network}`);
}

/** `--add-host`. @throws DelosError bad-usage */
export function addedHosts(options: RunOptions): AddedHost[] {
  return options['add-host'].map((text) => {
    const [, name, address] = /^([^\s:=]+)[:=]\[?([0-9A-Fa-f.:]+|host-gateway)\]?$/.exec(text) ?? [];
    if (name === undefined || address === undefined) throw badFlag('add-host', text, 'expected NAME:ADDRESS');
    return { name, address };
  });
}

/** Who asks for a network, and what there is. */
export interface NetworkChoice {
  /** `--network`. */
  readonly asked: string | undefined;
  /** The image comes from a registry: who uses one knows docker. The host's own files are shown to nobody. */
  readonly pulled: boolean;
  readonly uid: number;
  /** For a user other than root, the preferred one first. */
  readonly userModes: readonly UserModeProgram[];
}

/**
 * The network that a container gets. An ordinary user cannot make a bridge: one of slirp4netns and pasta stands in for the default network, or
 * nothing where neither is there and none was asked for.
 */
export function chooseNetwork({ asked, pulled, uid, userModes: [preferred] }: NetworkChoice): string {
  if (uid === 0) return asked ?? (pulled ? defaultNetwork : 'none');
  if (asked === defaultNetwork) return preferred ?? asked;
  return asked ?? (pulled ? preferred ?? 'none' : 'none');
}

/** @throws DelosError unsupported, bad-usage for what an ordinary user's network has not */
export function checkNetworkRights(wish: NetworkWish | undefined, uid: number): void {
  if (wish === undefined || uid === 0) return;
  const { network, four, six, mac, aliases: [alias] } = wish;
  if (!isUserMode(network)) {
    throw new DelosError('unsupported', `--network ${network}: it takes root to connect to a bridge; an ordinary user can have pasta or slirp4netns where it is installed, none or host`);
  }
  const lost = Object.entries({ ip: four, ip6: six, 'mac-address': mac, 'network-alias': alias }).find(([, value]) => value !== undefined);
  if (lost !== undefined) throw badFlags(`--${lost[0]} and --network ${network}`);
}

/** How a container is to be in one more network. */
export interface FurtherWish {
  readonly aliases?: readonly string[];
  readonly ip?: string;
  readonly ip6?: string;
}

/**
 * The wish for one more network of a container: `network connect`.
 * @throws DelosError bad-usage for one that has the network of somebody else, unsupported
 */
export function furtherNetwork({ id, name, flags }: Pick<Container, 'id' | 'name' | 'flags'>, network: string, { aliases = [], ip: four, ip6: six }: FurtherWish): NetworkWish {
  const mode = flags['network'];
  if (typeof mode === 'string' && !isBridged(mode) && mode !== 'none') throw new DelosError('bad-usage', `container ${name} has the network of ${mode}: it is not connected to others`);
  const wish = {
    network, hostname: shortId(id), aliases, ports: [], hosts: [], servers: [], search: [], options: [],
    ...(four !== undefined && { four }), ...(six !== undefined && { six }),
  };
  checkNetworkRights(wish, process.geteuid?.() ?? 0);
  return wish;
}
