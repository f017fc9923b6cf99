import path from 'node:path';
import { NETLINK_NETFILTER, NETLINK_ROUTE } from '../abi/netlink.ts';
import { DelosError } from '../lib/errors.ts';
import { sha256 } from '../lib/sha256.ts';
import { getLink, getLinks, readLink, type Link } from '../netlink/link.ts';
import type { Request } from '../netlink/message.ts';
import { NetlinkError } from '../netlink/refusal.ts';
import { NetlinkSocket } from '../netlink/socket.ts';
import { SystemCallError } from '../sys/syscall.ts';
import { defaultFolder } from './store.ts';

/** The sockets for devices and for the packet filter of the host, or of the namespace this runs in. */
export interface Sockets extends Disposable {
  readonly route: NetlinkSocket;
  readonly filter: NetlinkSocket;
}

export function openSockets(): Sockets {
  const route = new NetlinkSocket(NETLINK_ROUTE);
  try {
    const filter = new NetlinkSocket(NETLINK_NETFILTER);
    return {
      route, filter,
      [Symbol.dispose]: () => {
        route[Symbol.dispose]();
        filter[Symbol.dispose]();
      },
    };
  } catch (error) {
    route[Symbol.dispose]();
    throw error;
  }
}

/** Several times what the kernel takes to put removed elements out of use. */
const lingerMs = 100;

/**
 * The sockets for who removes elements. Closing the one for the packet filter waits, for some 10 ms, until no processor uses any more what was
 * removed (`nft_rcv_nl_event` in net/netfilter/nf_tables_api.c). So it is closed a while later, or with this process, when nothing is waited for.
 */
export function openLingering(): Sockets {
  const { route, filter } = openSockets();
  return {
    route, filter,
    [Symbol.dispose]: () => {
      route[Symbol.dispose]();
      setTimeout(() => filter[Symbol.dispose](), lingerMs).unref();
    },
  };
}

/** Six letters that tell one folder of networks from another on the same host. */
function tagOf(folder: string): string {
  return sha256(path.resolve(folder)).slice(0, 6);
}

/** The table of the packet filter: `delos`; another folder than root's has another one. */
export function tableOf(folder: string): string {
  return path.resolve(folder) === defaultFolder ? 'delos' : `delos-${tagOf(folder)}`;
}

/** How the alias of every device begins that was made for the networks of this folder; `ip link` shows it. */
export function aliasOf(folder: string): string {
  return `delos:${tagOf(folder)}:`;
}

/** What the kernel has room for, without its NUL: IFALIASZ. */
const maxAlias = 255;

/** The alias of a network's bridge. It ends with the folder, unless that is too long: removeAbandoned() reads it. */
export function bridgeAlias(folder: string, network: string): string {
  const [short, long] = [`${aliasOf(folder)}network ${network}`, `${aliasOf(folder)}network ${network} ${path.resolve(folder)}`];
  return Buffer.byteLength(long) <= maxAlias ? long : short;
}

/** Whether a device with a network's name is a bridge that was made for it. One without an alias may be: its maker was killed right then. */
export function isOurBridge(folder: string, { kind, alias }: Link): boolean {
  return kind === 'bridge' && (alias === undefined || alias.startsWith(aliasOf(folder)));
}

/** A device by its name. */
export function findLink(route: NetlinkSocket, name: string): Link | undefined {
  const [found] = unless(['ENODEV'], () => route.request(getLink(name))) ?? [];
  return found === undefined ? undefined : readLink(found);
}

export function allLinks(route: NetlinkSocket): Link[] {
  return route.dump(getLinks()).map(readLink);
}

/** Sends a request; tells whether it was done, or refused with one of these. */
export function attempt(socket: NetlinkSocket, request: Request, ...accepted: readonly string[]): boolean {
  return unless(accepted, () => socket.request(request)) !== undefined;
}

/** What `act` gives, or undefined when the kernel refuses it with one of these. */
export function unless<Given>(accepted: readonly string[], act: () => Given): Given | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof NetlinkError && accepted.includes(error.errno)) return undefined;
    throw error;
  }
}

/** The kernel's refusal as the caller's error, with what it was about in front. */
export function refused(about: string, error: unknown): unknown {
  if (!(error instanceof NetlinkError) && !(error instanceof SystemCallError)) return error;
  const call = error instanceof NetlinkError ? 'netlink' : error.call;
  return new DelosError('kernel-refused', `${about}: ${error.message}`, { call, errno: error.errno, cause: error });
}
