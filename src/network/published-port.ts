import { DelosError } from '../lib/errors.ts';
import { parseAddress, type Address } from '../netlink/ip.ts';

/** A port of the host that leads to one of a container. */
export interface PublishedPort {
  readonly protocol: 'tcp' | 'udp';
  /** Of the host; every one of them if not said. */
  readonly hostAddress?: string;
  /** 1 to 65535; 0 for any that is free. */
  readonly hostPort: number;
  /** 1 to 65535. */
  readonly containerPort: number;
}

/** IPPROTO_ */
export const protocolNumber = { tcp: 6, udp: 17 } as const;

/** The two families a port is published for: that of its host address, or both when it has none. */
export function hostAddressOf({ hostAddress }: PublishedPort): Address | undefined {
  if (hostAddress === undefined || hostAddress === '' || hostAddress === '0.0.0.0' || hostAddress === '::') return undefined;
  const address = parseAddress(hostAddress);
  if (address === undefined) throw new DelosError('bad-network', `a published port needs an address of the host: ${JSON.stringify(hostAddress)} is none`);
  return address;
}

/** Whether it is published for a family: `0.0.0.0` is every address of IPv4 alone. */
export function isFor(port: PublishedPort, family: 4 | 6): boolean {
  const { hostAddress = '' } = port;
  return hostAddress === '' || hostAddress.includes(':') === (family === 6);
}

/** @throws DelosError bad-network */
export function checkPort(port: PublishedPort): void {
  hostAddressOf(port);
  const { hostPort, containerPort, protocol } = port;
  const good = (number: number, least: number): boolean => Number.isInteger(number) && number >= least && number <= 65535;
  if (good(hostPort, 0) && good(containerPort, 1) && Object.hasOwn(protocolNumber, protocol)) return;
  throw new DelosError('bad-network', `no port to publish: ${portText(port)}`);
}

/** `0.0.0.0:8080->80/tcp`, as it is listed. */
export function portText({ protocol, hostAddress, hostPort, containerPort }: PublishedPort): string {
  const address = hostAddress === undefined || hostAddress === '' ? '0.0.0.0' : hostAddress;
  return `${address.includes(':') ? `[${address}]` : address}:${hostPort}->${containerPort}/${protocol}`;
}
