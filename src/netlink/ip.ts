/** An IP address: 4 bytes or 16, in network order. */
export type Address = Uint8Array;

/** Addresses that begin with the same bits. */
export interface Subnet {
  /** The bits behind the prefix are 0. */
  readonly address: Address;
  /** 0 to 32, or to 128. */
  readonly prefix: number;
}

/** An address from its text, or undefined when it is none. IPv6 with `::` and with a dotted tail (RFC 4291, 2.2), without a zone. */
export function parseAddress(text: string): Address | undefined {
  return text.includes(':') ? parseSix(text) : parseFour(text);
}

/** Four decimal numbers; none with a leading zero, which some take for octal. */
function parseFour(text: string): Address | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return undefined;
  return Uint8Array.from(parts, Number);
}

function parseSix(text: string): Address | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = [groups(halves[0] ?? ''), halves.length === 2 ? groups(halves[1] ?? '') : []];
  if (head === undefined || tail === undefined) return undefined;
  const left = 16 - head.length - tail.length;
  if (halves.length === 2 ? left < 2 : left !== 0) return undefined;
  return Uint8Array.from([...head, ...Buffer.alloc(left), ...tail]);
}

/** The bytes of groups of four hexadecimal digits, the last of which may be an IPv4 address. */
function groups(text: string): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const found: number[] = [];
  for (const [index, part] of parts.entries()) {
    const four = index === parts.length - 1 && part.includes('.') ? parseFour(part) : undefined;
    if (four !== undefined) found.push(...four);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) found.push(Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 0xff);
    else return undefined;
  }
  return found;
}

/** The text of an address, of IPv6 as RFC 5952 wants it: lower case, the longest run of two groups or more of zeros as `::`. */
export function formatAddress(address: Address): string {
  if (address.length === 4) return address.join('.');
  const parts = Array.from({ length: 8 }, (_, index) => ((address[2 * index] ?? 0) << 8) | (address[2 * index + 1] ?? 0));
  let [start, length] = [0, 1];
  for (let from = 0; from < 8; from++) {
    let run = 0;
    while (from + run < 8 && parts[from + run] === 0) run++;
    if (run > length) [start, length] = [from, run];
  }
  const hex = (list: readonly number[]): string => list.map((part) => part.toString(16)).join(':');
  return length < 2 ? hex(parts) : `${hex(parts.slice(0, start))}::${hex(parts.slice(start + length))}`;
}

/** `10.88.0.0/16`; undefined when it is no subnet, and also when bits behind the prefix are set, unless they are to be cut off. */
export function parseSubnet(text: string, cut = false): Subnet | undefined {
  const [, host = '', bits = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const address = parseAddress(host);
  const prefix = Number(bits);
  if (address === undefined || bits === '' || prefix > address.length * 8) return undefined;
  const subnet = { address: masked(address, prefix), prefix };
  return cut || Buffer.compare(subnet.address, address) === 0 ? subnet : undefined;
}

export function formatSubnet({ address, prefix }: Subnet): string {
  return `${formatAddress(address)}/${prefix}`;
}

/** The address with the bits behind the prefix set to 0. */
export function masked(address: Address, prefix: number): Address {
  return address.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - 8 * index))));
}

export function contains({ address, prefix }: Subnet, other: Address): boolean {
  return other.length === address.length && Buffer.compare(masked(other, prefix), address) === 0;
}

/** Whether two subnets have an address in common. */
export function overlap(one: Subnet, other: Subnet): boolean {
  return one.prefix <= other.prefix ? contains(one, other.address) : contains(other, one.address);
}

/** The address this far behind another; undefined past the last there is. */
export function addressAt(first: Address, distance: number | bigint): Address | undefined {
  const value = toNumber(first) + BigInt(distance);
  return value >> BigInt(first.length * 8) === 0n ? Buffer.from(value.toString(16).padStart(first.length * 2, '0'), 'hex') : undefined;
}

/** How far an address is behind the first of its subnet. */
export function distance({ address }: Subnet, other: Address): bigint {
  return toNumber(other) - toNumber(address);
}

/** How many addresses a subnet has. */
export function sizeOf({ address, prefix }: Subnet): bigint {
  return 1n << BigInt(address.length * 8 - prefix);
}

function toNumber(address: Address): bigint {
  return BigInt(`0x${Buffer.from(address).toString('hex')}`);
}
