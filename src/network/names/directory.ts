import fs from 'node:fs';
import { formatAddress, parseAddress, parseSubnet, contains, type Address } from '../../netlink/ip.ts';
import { leasesOf, type Lease } from '../lease.ts';
import { leasesFolder } from '../store.ts';
import { encodeName, recordTypes, type Answer, type Question } from './message.ts';

/** What the directory says of a question: records, perhaps none; `nobody` has the name; or it is `unknown` here, and somebody else's to answer. */
export type Finding = readonly Answer[] | 'nobody' | 'unknown';

/** The names of the containers of a network, as its leases tell them. */
export class Directory {
  readonly #folder: string;
  readonly #network: string;
  #leases: readonly Lease[] = [];
  #seen = -1n;

  constructor(folder: string, network: string) {
    this.#folder = folder;
    this.#network = network;
  }

  /** The leases as they are: read again when their folder has changed. */
  get leases(): readonly Lease[] {
    const status = fs.statSync(leasesFolder(this.#folder, this.#network), { bigint: true, throwIfNoEntry: false });
    if (status === undefined) return [];
    // A folder that changed in this very tick of the file system's clock may change again without another time: not remembered.
    const recent = BigInt(Date.now()) - status.mtimeMs < 20n;
    if (status.mtimeNs !== this.#seen || recent) this.#leases = leasesOf(this.#folder, this.#network);
    this.#seen = recent ? -1n : status.mtimeNs;
    return this.#leases;
  }

  /** @param subnets the network's: what has no name there is nobody else's to know */
  find({ name, type }: Question, subnets: readonly string[]): Finding {
    const wanted = name.toLowerCase();
    const reverse = addressOfReverse(wanted);
    if (reverse !== undefined) return this.#reverse(reverse, type, subnets);
    const found = this.leases.filter((lease) => isCalled(lease, wanted));
    if (found.length === 0) return 'unknown';
    const of = (family: 'four' | 'six', record: number): Answer[] =>
      type === record || type === recordTypes.ANY ? found.flatMap((lease) => addressOf(lease[family])).map((data) => ({ type: record, data })) : [];
    return [...of('four', recordTypes.A), ...of('six', recordTypes.AAAA)];
  }

  #reverse(address: Address, type: number, subnets: readonly string[]): Finding {
    const text = formatAddress(address);
    const lease = this.leases.find(({ four, six }) => four === text || six === text);
    if (lease === undefined) return isWithin(address, subnets) ? 'nobody' : 'unknown';
    const encoded = encodeName(lease.names[0] ?? lease.container.slice(0, 12));
    const isAsked = type === recordTypes.PTR || type === recordTypes.ANY;
    return encoded === undefined || !isAsked ? [] : [{ type: recordTypes.PTR, data: encoded }];
  }
}

function isCalled({ names, container }: Lease, wanted: string): boolean {
  return names.includes(wanted) || container === wanted || container.slice(0, 12) === wanted;
}

function addressOf(text: string | undefined): Address[] {
  const address = text === undefined ? undefined : parseAddress(text);
  return address === undefined ? [] : [address];
}

/** The address that `2.0.210.10.in-addr.arpa` or its like of IPv6 (RFC 3596, 2.5) asks for. */
export function addressOfReverse(name: string): Address | undefined {
  const [, four] = /^([\d.]+)\.in-addr\.arpa$/.exec(name) ?? [];
  if (four !== undefined) return parseAddress(four.split('.').toReversed().join('.'));
  const [, six] = /^((?:[0-9a-f]\.){31}[0-9a-f])\.ip6\.arpa$/.exec(name) ?? [];
  return six === undefined ? undefined : Buffer.from(six.split('.').toReversed().join(''), 'hex');
}

/** Whether an address belongs to one of these subnets. */
function isWithin(address: Address, subnets: readonly string[]): boolean {
  return subnets.map((text) => parseSubnet(text)).some((subnet) => subnet !== undefined && contains(subnet, address));
}
