import fs from 'node:fs';
import { MNT_DETACH, MS_BIND } from '../abi/mount.ts';
import { addChain, deleteChain, portMappings, type CniAttachment } from '../network/cni/chain.ts';
import { configurationFolder, findConflist } from '../network/cni/conflist.ts';
import type { JsonObject } from '../network/cni/json.ts';
import { pluginFolders } from '../network/cni/plugin.ts';
import { readResult, type CniResult } from '../network/cni/result.ts';
import { reservePorts } from '../network/host-port.ts';
import { allLeases, type Lease } from '../network/lease.ts';
import type { PublishedPort } from '../network/published-port.ts';
import { syscall } from '../sys/syscall.ts';
import type { NetworkWish } from './network-wish.ts';
import type { Container } from './container.ts';
import { fileOf, networksFolder, type Places } from './places.ts';

const prefix = 'cni:';

/** <linux/magic.h>: what a path is on that keeps a namespace. */
const NSFS_MAGIC = 0x6e73_6673;

/** `cni.json` in the container's folder: all that DEL needs, also when the configuration is another by then. There before ADD, with its result after it. */
interface CniRecord {
  readonly attachment: CniAttachment;
  readonly names: readonly string[];
  readonly ports: readonly PublishedPort[];
  readonly result?: JsonObject;
}

/** The network of CNI that a container is to have: `--network cni:NAME`. */
export function cniNameOf({ networks: [first] }: Pick<Container, 'networks'>): string | undefined {
  return first?.network.startsWith(prefix) === true ? first.network.slice(prefix.length) : undefined;
}

/**
 * Connects a container by the plugins of a network's configuration. Its namespace is mounted in its folder, since plugins look for what they have
 * made there after the last process has gone, too.
 * @param pid of its first process
 * @throws DelosError no-network, bad-network, network-in-use, plugin-failed; nothing is left then
 */
export async function joinCni(places: Places, { id, name, networks: [wish] }: Container, network: string, pid: number): Promise<void> {
  if (wish === undefined) return;
  const conflist = findConflist(configurationFolder(process.env), network);
  const ports = reservePorts(wish.ports, allLeases(networksFolder(places)));
  const attachment = { conflist, container: id, namespace: fileOf(places, id, 'netns'), interface: 'eth0', path: pluginFolders(process.env), wishes: wishesOf(wish, ports) };
  const record: CniRecord = { attachment, names: [name], ports };
  keepRecord(places, id, record);
  try {
    fs.writeFileSync(attachment.namespace, '', { mode: 0o600 });
    syscall('mount', `/proc/${pid}/ns/net`, attachment.namespace, '', MS_BIND, '');
    keepRecord(places, id, { ...record, result: await addChain(attachment) });
  } catch (error) {
    forget(places, id);
    throw error;
  }
}

/** What plugins are told, and only they that say they understand it. */
function wishesOf({ four, six, mac, aliases }: NetworkWish, ports: readonly PublishedPort[]): JsonObject {
  const ips = [four, six].filter((address) => address !== undefined);
  return {
    ...(ports.length > 0 && { portMappings: portMappings(ports) }), ...(ips.length > 0 && { ips }), ...(mac !== undefined && { mac }),
    ...(aliases.length > 0 && { aliases }),
  };
}

/** Takes a container out of its network. It may be in none. @throws DelosError plugin-failed; it can be tried again then */
export async function leaveCni(places: Places, id: string): Promise<void> {
  const record = readRecord(places, id);
  if (record !== undefined) {
    const { attachment, result } = record;
    await deleteChain({ ...attachment, namespace: isNamespace(attachment.namespace) ? attachment.namespace : '' }, result);
  }
  forget(places, id);
}

/** What the plugins have answered. */
export function cniAnswer(places: Places, id: string): CniResult | undefined {
  const result = readRecord(places, id)?.result;
  return result && readResult(result);
}

/** How a container is connected, in the words of our own networks. */
export function cniLease(places: Places, id: string): Lease | undefined {
  const record = readRecord(places, id);
  if (record?.result === undefined) return undefined;
  const { attachment: { conflist, interface: inside }, names, ports, result } = record;
  const { four, six, mac = '' } = readResult(result);
  return { network: `${prefix}${conflist.name}`, container: id, interface: inside, hostInterface: '', ...(four !== undefined && { four }), ...(six !== undefined && { six }), mac, names, ports };
}

function keepRecord(places: Places, id: string, record: CniRecord): void {
  const file = fileOf(places, id, 'cni.json');
  fs.writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
}

function readRecord(places: Places, id: string): CniRecord | undefined {
  try {
    return JSON.parse(fs.readFileSync(fileOf(places, id, 'cni.json'), 'utf8')) as CniRecord;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function forget(places: Places, id: string): void {
  const namespace = fileOf(places, id, 'netns');
  if (isNamespace(namespace)) syscall('umount2', namespace, MNT_DETACH);
  for (const file of [namespace, fileOf(places, id, 'cni.json')]) fs.rmSync(file, { force: true });
}

/** Not after a reboot, nor where somebody has unmounted it. */
function isNamespace(file: string): boolean {
  try {
    return fs.statfsSync(file).type === NSFS_MAGIC;
  } catch {
    return false;
  }
}
