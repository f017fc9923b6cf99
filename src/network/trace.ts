import { formatAddress } from '../netlink/ip.ts';
import { readRule, type Count } from '../netlink/nftables/read.ts';
import { getRules } from '../netlink/nftables/table.ts';
import { entriesOfLease, identity, type Entry } from './elements.ts';
import { allLeases, type Lease } from './lease.ts';
import { presentEntries } from './packet-filter.ts';
import { portText, type PublishedPort } from './published-port.ts';
import { openSockets, tableOf, unless } from './sockets.ts';
import { inspectNetwork } from './store.ts';

/** What the packet filter does for one container in one network, with what it has counted. */
export interface Trace {
  readonly lease: Lease;
  readonly device: string;
  /** What it has sent to, and got from, other than its own host; by address. */
  readonly sent: Readonly<Record<string, Count>>;
  readonly received: Readonly<Record<string, Count>>;
  /** Connections made to its published ports: each counts its first packet alone. `present` is false when the rule is missing. */
  readonly ports: readonly { readonly port: PublishedPort; readonly text: string; readonly present: boolean; readonly count: Count }[];
  /** The rules of all networks in order, with the counts of those that count. */
  readonly rules: readonly { readonly chain: string; readonly comment: string; readonly count?: Count }[];
}

const none: Count = { packets: 0n, bytes: 0n };

/** For each network that the container is in. Needs no lock: what is read is one moment of each set. */
export function trace(folder: string, container: string): Trace[] {
  using sockets = openSockets();
  const { filter } = sockets;
  const present = new Map(presentEntries(filter, folder).map((entry) => [identity(entry), entry]));
  const rules = (unless(['ENOENT'], () => filter.dump(getRules(tableOf(folder)))) ?? []).map(readRule);
  return allLeases(folder).filter((lease) => lease.container === container).map((lease) => {
    const entries = entriesOfLease(lease).map((entry) => ({ entry, found: present.get(identity(entry)) }));
    const counts = (prefix: string): Record<string, Count> =>
      Object.fromEntries(entries.filter(({ entry }) => entry.set.startsWith(prefix)).map(({ entry, found }) => [formatAddress(entry.key), countOf(found)]));
    return {
      lease, device: inspectNetwork(folder, lease.network).device, sent: counts('from'), received: counts('to'),
      ports: lease.ports.map((port) => tracePort(lease, port, present)),
      rules: rules.map(({ chain, comment = '', count }) => ({ chain, comment, ...(count && { count }) })),
    };
  });
}

/** A port of both families is one line. */
function tracePort(lease: Lease, port: PublishedPort, present: ReadonlyMap<string, Entry>): Trace['ports'][number] {
  const entries = entriesOfLease({ ...lease, ports: [port] }).filter(({ set }) => set.startsWith('publish'));
  const found = entries.map((entry) => present.get(identity(entry)));
  const count = found.map(countOf).reduce((sum, one) => ({ packets: sum.packets + one.packets, bytes: sum.bytes + one.bytes }), none);
  return { port, text: portText(port), present: found.every((entry) => entry !== undefined), count };
}

function countOf(entry: (Entry & { readonly count?: Count }) | undefined): Count {
  return entry?.count ?? none;
}
