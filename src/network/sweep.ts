import fs from 'node:fs';
import path from 'node:path';
import { parseAddress } from '../netlink/ip.ts';
import { deleteLink, type Link } from '../netlink/link.ts';
import { removeAbandoned } from './abandoned.ts';
import { identity, type Entry } from './elements.ts';
import { allLeases, isOver, leasesOf, type Lease } from './lease.ts';
import { lockNetworks } from './lock.ts';
import { expectedEntries, presentEntries, removeEntries, removeTable } from './packet-filter.ts';
import { aliasOf, allLinks, attempt, isOurBridge, openSockets, refused, type Sockets } from './sockets.ts';
import { bridgeNetworks, eraseRecord, leasesFolder, namesIn, recordFile } from './store.ts';
import { takeDown, takeOut } from './take-down.ts';

/** What was removed, by name. */
export interface Swept {
  readonly containers: readonly string[];
  readonly devices: readonly string[];
  /** How many elements of the packet filter nobody has. */
  readonly entries: number;
}

/**
 * Removes what killed processes have left: leases of containers that are no more, devices of no lease, elements of the packet filter, half
 * written files. Everything of ours has our alias or our table, so nobody else's is touched. Safe at any time, beside anything.
 * @param alive whether there is a container of this id; one that is being made counts
 */
export async function sweep(folder: string, alive: (container: string) => boolean): Promise<Swept> {
  if (!fs.existsSync(folder)) return { containers: [], devices: [], entries: 0 };
  using _ = await lockNetworks(folder);
  using sockets = openSockets();
  try {
    const gone = allLeases(folder).filter((lease) => (lease.process === undefined ? !alive(lease.container) : isOver(lease)));
    for (const lease of gone) takeOut(sockets, folder, lease);
    sweepFiles(folder);
    const devices = sweepDevices(sockets, folder, allLeases(folder));
    removeAbandoned(sockets);
    return { containers: gone.map(({ container }) => container), devices, entries: sweepEntries(sockets, folder) };
  } catch (error) {
    throw refused('what is left of networks cannot be removed', error);
  }
}

/** Files that hold nothing: written when the machine went down, or by a process that was killed. The lock is held, so nobody is writing. */
function sweepFiles(folder: string): void {
  for (const name of namesIn(folder)) {
    const at = path.join(folder, name);
    if (name === 'lock' || !fs.statSync(at, { throwIfNoEntry: false })?.isDirectory()) continue;
    if (!fs.existsSync(recordFile(folder, name))) {
      eraseRecord(folder, name);
      continue;
    }
    for (const file of namesIn(at)) if (/^network\.json\.\d+$/.test(file)) fs.rmSync(path.join(at, file));
    const kept = new Set(leasesOf(folder, name).map(({ four, six }) => four ?? six));
    for (const file of namesIn(leasesFolder(folder, name))) {
      if (!kept.has(file) && (parseAddress(file) !== undefined || file.startsWith('.'))) fs.rmSync(path.join(leasesFolder(folder, name), file));
    }
  }
}

/** Ports of bridges without a lease, and bridges of no network. A bridge that waits for its next container goes, too, and is not worth a word. */
function sweepDevices(sockets: Sockets, folder: string, leases: readonly Lease[]): string[] {
  const { route } = sockets;
  const alias = aliasOf(folder);
  const ports = new Set(leases.map(({ hostInterface }) => hostInterface));
  const devices = new Map(bridgeNetworks(folder).map((record) => [record.device, record]));
  const used = new Set(leases.map(({ network }) => network));
  // A process that was killed between making a device and giving it its alias: the name says enough, with the bridge it is a port of.
  const links = allLinks(route);
  const isOurs = (link: Link): boolean => isOurBridge(folder, link) && (devices.has(link.name) || link.alias?.startsWith(`${alias}network `) === true);
  const ours = new Set(links.filter(isOurs).map(({ index }) => index));
  const isOrphan = ({ index, name, kind, master, alias: its }: Link): boolean => {
    if (kind === 'veth') return !ports.has(name) && (its?.startsWith(alias) === true || (/^dv[0-9a-f]{12}$/.test(name) && master !== undefined && ours.has(master)));
    return ours.has(index) && !devices.has(name);
  };
  // One that is gone meanwhile was on its way out with its namespace.
  const orphans = links.filter(isOrphan).filter(({ index, name }) => attempt(route, deleteLink(index, name), 'ENODEV'));
  for (const { index, name } of links) {
    const record = devices.get(name);
    if (record !== undefined && ours.has(index) && !used.has(record.name)) takeDown(sockets, folder, record);
  }
  return orphans.map(({ name }) => name);
}

function sweepEntries({ filter }: Sockets, folder: string): number {
  const expected = new Set(expectedEntries(folder).map(identity));
  const orphans: Entry[] = presentEntries(filter, folder).filter((entry) => !expected.has(identity(entry)));
  if (allLeases(folder).length === 0) removeTable(filter, folder);
  else removeEntries(filter, folder, orphans);
  return orphans.length;
}
