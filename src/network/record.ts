import { DelosError } from '../lib/errors.ts';
import { contains, parseAddress, parseSubnet, type Address, type Subnet } from '../netlink/ip.ts';

/** One family's part of a network, as text: `10.210.0.0/16`, and in it the address of the bridge, which is its gateway and name server. */
export interface AddressRange {
  readonly subnet: string;
  readonly gateway: string;
}

/** A network as it is kept: the file `network.json` of its folder. */
export interface NetworkRecord {
  readonly name: string;
  /** `none` and `host` are there without a file: a network namespace with lo alone, and the host's own. */
  readonly driver: 'bridge' | 'none' | 'host';
  /** The bridge, at most 15 bytes. */
  readonly device: string;
  readonly four?: AddressRange;
  readonly six?: AddressRange;
  /** Of all devices of the network, in bytes; that of the host's default route if not said. */
  readonly mtu?: number;
  /** Nothing outside is reached, and no port is published. */
  readonly internal?: boolean;
  /** Containers of the network do not reach each other. */
  readonly isolated?: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly created: string;
}

/** The two networks that need no file. */
export const builtIn: readonly NetworkRecord[] = (['host', 'none'] as const).map((name) => {
  return { name, driver: name, device: '', labels: {}, created: '1970-01-01T00:00:00.000Z' };
});

export const defaultNetwork = 'bridge';

/** The device of the default network. */
export const defaultDevice = 'delos0';

/** The subnet and the gateway of a range, or a complaint in which `whose` says of what. Throws DelosError bad-network. */
export function rangeOf({ subnet, gateway }: AddressRange, whose: string): { readonly subnet: Subnet; readonly gateway: Address } {
  const parsed = parseSubnet(subnet);
  if (parsed === undefined) throw new DelosError('bad-network', `${whose}: ${subnet} is no subnet such as 10.210.0.0/16`);
  if (parsed.prefix > parsed.address.length * 8 - 2) throw new DelosError('bad-network', `${whose}: ${subnet} has no room for containers`);
  const address = parseAddress(gateway);
  if (address === undefined || !contains(parsed, address)) throw new DelosError('bad-network', `${whose}: the gateway ${gateway} is no address of ${subnet}`);
  return { subnet: parsed, gateway: address };
}

/** A name is also that of a folder. Throws DelosError bad-network. */
export function checkName(name: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(name)) {
    throw new DelosError('bad-network', `a network's name has letters, digits, '_', '.' and '-', and begins with one of the first: ${JSON.stringify(name)}`);
  }
}

/** The record in a text. Throws SyntaxError or DelosError when the text is none. */
export function readRecord(text: string): NetworkRecord {
  const record = JSON.parse(text) as NetworkRecord;
  checkName(record.name);
  const isGood = typeof record.device === 'string' && Buffer.byteLength(record.device) <= 15 && record.driver === 'bridge';
  if (!isGood) throw new DelosError('bad-network', `network ${record.name}: its record is damaged`);
  for (const range of [record.four, record.six]) if (range !== undefined) rangeOf(range, `network ${record.name}`);
  return record;
}
