import dgram from 'node:dgram';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { DelosError } from '../../lib/errors.ts';
import { SystemCallError, syscall } from '../../sys/syscall.ts';
import { outsideServers, resolvedFile } from '../files.ts';
import { isUsed } from '../lease.ts';
import type { NetworkRecord } from '../record.ts';
import { inspectNetwork, readIfThere } from '../store.ts';
import { Directory } from './directory.ts';
import { forward, framed, Frames } from './forward.ts';
import { encodeFailure, encodeResponse, MalformedName, readQuery, responseCodes } from './message.ts';

/** Questions that are being passed on at a time: more are refused, and asked again by who wants to know. */
const mostForwarded = 500;

/** Clients by TCP at a time. */
const mostClients = 200;

/** A client by TCP that says nothing is let go. */
const idleMs = 10_000;

/** How often it is looked whether a container is left. */
const lookMs = 2000;

export interface NameServer {
  /** Settles when the last container of the network has gone, or after close(). */
  readonly ended: Promise<void>;
  readonly close: () => Promise<void>;
}

export interface NameServerOptions {
  /** Who answers what is not known here; those of the host's /etc/resolv.conf, read anew when it changes, if not said. */
  readonly servers?: readonly string[];
  /** Of this server and of those it asks: 53. */
  readonly port?: number;
  readonly forwardPort?: number;
  /** Ends only by close(). */
  readonly stay?: boolean;
}

/**
 * Answers for the names of a network's containers at its gateway addresses, by UDP and TCP, and passes all else on. It is to be called in a process of
 * its own, by every one who attaches the first container: of several for one network all but one end at once, giving undefined.
 * An internal network gets no answers from outside.
 * @throws DelosError no-network, bad-network; io when the port of the gateway is taken
 */
export async function serveNames(folder: string, network: string, options: NameServerOptions = {}): Promise<NameServer | undefined> {
  const record = inspectNetwork(folder, network);
  if (record.driver !== 'bridge') throw new DelosError('bad-network', `network ${network}: there are no names to serve`);
  const lock = lockServer(folder, network);
  if (lock === undefined) return undefined;
  const server = new Server(folder, record, options);
  try {
    await server.listen();
  } catch (error) {
    await server.close();
    fs.closeSync(lock);
    throw new DelosError('io', `network ${network}: its name server cannot listen: ${(error as Error).message}`, { cause: error });
  }
  const ended = server.ended.finally(() => fs.closeSync(lock));
  return { ended, close: () => server.close() };
}

/** Whether a server is there for a network. */
export function isServed(folder: string, network: string): boolean {
  const lock = lockServer(folder, network);
  if (lock !== undefined) fs.closeSync(lock);
  return lock === undefined;
}

/** The one server of a network holds this lock as long as it lives. flock(2) */
function lockServer(folder: string, network: string): number | undefined {
  const descriptor = fs.openSync(path.join(folder, network, 'names.lock'), 'a', 0o600);
  try {
    const [LOCK_EX, LOCK_NB] = [2, 4];
    syscall('flock', descriptor, LOCK_EX | LOCK_NB);
    return descriptor;
  } catch (error) {
    fs.closeSync(descriptor);
    if (error instanceof SystemCallError && error.errno === 'EAGAIN') return undefined;
    throw error;
  }
}

class Server {
  readonly ended: Promise<void>;
  readonly #record: NetworkRecord;
  readonly #options: NameServerOptions;
  readonly #directory: Directory;
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #settle: () => void;
  #forwarded = 0;
  #closed = false;

  constructor(folder: string, record: NetworkRecord, options: NameServerOptions) {
    this.#record = record;
    this.#options = options;
    this.#directory = new Directory(folder, record.name);
    const { promise, resolve } = Promise.withResolvers<void>();
    [this.ended, this.#settle] = [promise, resolve];
    if (options.stay === true) return;
    const timer = setInterval(() => {
      if (!isUsed(folder, record.name)) void this.close();
    }, lookMs);
    this.#closers.push(async () => clearInterval(timer));
  }

  async listen(): Promise<void> {
    for (const range of [this.#record.four, this.#record.six]) {
      if (range === undefined) continue;
      await this.#listenDatagrams(range.gateway);
      await this.#listenStreams(range.gateway);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all(this.#closers.map((close) => close()));
    this.#settle();
  }

  #listenDatagrams(address: string): Promise<void> {
    const socket = dgram.createSocket({ type: address.includes(':') ? 'udp6' : 'udp4' });
    this.#closers.push(() => new Promise((resolve) => socket.close(() => resolve())));
    const serve = async (message: Uint8Array, from: dgram.RemoteInfo): Promise<void> => {
      const answer = await this.#answer(message, 'udp');
      // The client may be gone, and this server with its network.
      if (answer !== undefined && !this.#closed) socket.send(answer, from.port, from.address, () => {});
    };
    socket.on('message', (message, from) => void serve(message, from));
    return new Promise((resolve, reject) => {
      socket.once('error', reject).bind(this.#options.port ?? 53, address, () => resolve(void socket.on('error', () => {})));
    });
  }

  #listenStreams(address: string): Promise<void> {
    const clients = new Set<net.Socket>();
    const server = net.createServer((client) => {
      clients.add(client);
      const frames = new Frames();
      client.setTimeout(idleMs, () => client.destroy()).on('error', () => {}).on('close', () => clients.delete(client));
      const serve = async (message: Uint8Array): Promise<void> => {
        const answer = await this.#answer(message, 'tcp');
        if (answer === undefined) client.destroy();
        else client.write(framed(answer));
      };
      client.on('data', (some) => frames.push(some).forEach((message) => void serve(message)));
    });
    server.maxConnections = mostClients;
    this.#closers.push(() => new Promise((resolve) => {
      for (const client of clients) client.destroy();
      server.close(() => resolve());
    }));
    return new Promise((resolve, reject) => {
      server.once('error', reject).listen(this.#options.port ?? 53, address, () => resolve(void server.on('error', () => {})));
    });
  }

  async #answer(message: Uint8Array, by: 'udp' | 'tcp'): Promise<Uint8Array | undefined> {
    let query;
    try {
      query = readQuery(message);
    } catch (error) {
      if (error instanceof MalformedName) return encodeFailure(message, responseCodes.FORMERR);
      throw error;
    }
    const { four, six, internal } = this.#record;
    const finding = this.#directory.find(query.question, [four, six].flatMap((range) => (range === undefined ? [] : [range.subnet])));
    const size = by === 'tcp' ? 65535 : query.size;
    if (finding === 'nobody') return encodeResponse(message, query, responseCodes.NXDOMAIN, [], size);
    if (finding !== 'unknown') return encodeResponse(message, query, responseCodes.NOERROR, finding, size);
    if (internal === true) return encodeResponse(message, query, responseCodes.NXDOMAIN, [], size);
    return (await this.#forward(message, by)) ?? encodeResponse(message, query, responseCodes.SERVFAIL, [], size);
  }

  async #forward(message: Uint8Array, by: 'udp' | 'tcp'): Promise<Uint8Array | undefined> {
    if (this.#forwarded >= mostForwarded) return undefined;
    this.#forwarded++;
    try {
      // One that asks itself would never be done.
      const { four, six } = this.#record;
      const servers = (this.#options.servers ?? hostServers()).filter((server) => server !== four?.gateway && server !== six?.gateway);
      return await forward(message, servers, by, this.#options.forwardPort);
    } finally {
      this.#forwarded--;
    }
  }
}

/** The servers the host asks. This process is on the host, so one at its loopback serves as well. */
function hostServers(): readonly string[] {
  const text = readIfThere('/etc/resolv.conf') ?? '';
  const own = [...text.matchAll(/^nameserver[ \t]+(\S+)/gm)].map(([, server = '']) => server);
  return own.length > 0 ? own : outsideServers(text, readIfThere(resolvedFile));
}
