import fs from 'node:fs';
import { AF_INET6 } from '../abi/netlink.ts';
import { AF_INET, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET } from '../abi/socket.ts';
import { DelosError } from '../lib/errors.ts';
import type { Address } from '../netlink/ip.ts';
import { SystemCallError, syscall } from '../sys/syscall.ts';
import { hostAddressOf, isFor, portText, type PublishedPort } from './published-port.ts';
import type { Lease } from './lease.ts';

/** <asm-generic/socket.h>, <linux/in.h>, <linux/in6.h> */
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** How often a port is drawn that another container has, which no socket of the host shows. */
const draws = 100;

/**
 * The ports of a container with those of the host that were left open drawn, each checked to be free: no other container has
 * it, no process of the host listens at it. The caller holds the lock. The kernel's packet filter would take a port that is in use
 * without a word, and its owner would wonder.
 * @throws DelosError network-in-use, unsupported
 */
export function reservePorts(ports: readonly PublishedPort[], others: readonly Lease[]): PublishedPort[] {
  const taken = others.flatMap((lease) => lease.ports.map((port) => ({ port, container: lease.container })));
  const reserved: PublishedPort[] = [];
  for (const port of ports) {
    const holder = (wanted: PublishedPort): string | undefined =>
      taken.find((other) => collide(other.port, wanted))?.container ?? (reserved.some((other) => collide(other, wanted)) ? 'itself' : undefined);
    const found = port.hostPort === 0 ? drawPort(port, holder) : port;
    const container = holder(found);
    if (container !== undefined) throw new DelosError('network-in-use', `${portText(found)}: the port is published by container ${container}`);
    if (port.hostPort !== 0) for (const family of familiesOf(found)) bindOnce(found, family);
    reserved.push(found);
  }
  return reserved;
}

function drawPort(port: PublishedPort, holder: (port: PublishedPort) => string | undefined): PublishedPort {
  for (let draw = 0; draw < draws; draw++) {
    const [family = 4, other] = familiesOf(port);
    const drawn = { ...port, hostPort: bindOnce(port, family) };
    if (holder(drawn) !== undefined) continue;
    if (other !== undefined) bindOnce(drawn, other);
    return drawn;
  }
  throw new DelosError('network-in-use', `${portText(port)}: no port of the host is free`);
}

/** Whether two published ports would both get a packet. */
function collide(one: PublishedPort, other: PublishedPort): boolean {
  if (one.protocol !== other.protocol || one.hostPort !== other.hostPort) return false;
  if (!familiesOf(one).some((family) => familiesOf(other).includes(family))) return false;
  const [first, second] = [hostAddressOf(one), hostAddressOf(other)];
  return first === undefined || second === undefined || Buffer.compare(first, second) === 0;
}

function familiesOf(port: PublishedPort): (4 | 6)[] {
  return ([4, 6] as const).filter((family) => isFor(port, family));
}

/** Binds to the port and lets go of it. Gives its number. A host without IPv6 has nobody there who could have it. */
function bindOnce(port: PublishedPort, family: 4 | 6): number {
  let socket: number | undefined;
  try {
    socket = syscall('socket', family === 4 ? AF_INET : AF_INET6, (port.protocol === 'tcp' ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    const on = Uint32Array.of(1);
    // What listens is found all the same; what is only left of old connections is not in the way.
    if (port.protocol === 'tcp') syscall('setsockopt', socket, SOL_SOCKET, SO_REUSEADDR, on, on.byteLength);
    if (family === 6) syscall('setsockopt', socket, IPPROTO_IPV6, IPV6_V6ONLY, on, on.byteLength);
    const address = socketAddress(family, port.hostPort, hostAddressOf(port));
    syscall('bind', socket, address, address.length);
    syscall('getsockname', socket, address, Uint32Array.of(address.length));
    return ((address[2] ?? 0) << 8) | (address[3] ?? 0);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    if (family === 6 && (error.errno === 'EAFNOSUPPORT' || error.errno === 'EADDRNOTAVAIL') && port.hostAddress === undefined) return port.hostPort;
    throw inUse(port, error);
  } finally {
    if (socket !== undefined) fs.closeSync(socket);
  }
}

function inUse(port: PublishedPort, error: SystemCallError): DelosError {
  const detail = { cause: error, call: error.call, errno: error.errno };
  if (error.errno === 'EADDRINUSE') return new DelosError('network-in-use', `${portText(port)}: a process of the host listens at this port`, detail);
  if (error.errno === 'EADDRNOTAVAIL') return new DelosError('bad-network', `${portText(port)}: the host does not have this address`, detail);
  return new DelosError('unsupported', `${portText(port)}: the host does not give this port (${error.errno})`, detail);
}

/** struct sockaddr_in, struct sockaddr_in6 */
function socketAddress(family: 4 | 6, port: number, address: Address | undefined): Uint8Array {
  const bytes = new Uint8Array(family === 4 ? 16 : 28);
  bytes.set([family === 4 ? AF_INET : AF_INET6, 0, port >> 8, port]);
  if (address !== undefined) bytes.set(address, family === 4 ? 4 : 8);
  return bytes;
}
