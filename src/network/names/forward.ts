import dgram from 'node:dgram';
import net from 'node:net';
import { MalformedName, readQuery } from './message.ts';

/** How long one server has for an answer before the next one is asked. */
const patienceMs = 2500;

/** A message that goes by TCP has its length in front: RFC 1035, 4.2.2. */
export function framed(message: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(message.length >> 8, message.length), message]);
}

/** The messages in a stream of framed ones. A frame that is not complete waits; `push` gives those that are. */
export class Frames {
  #rest: Uint8Array = new Uint8Array();

  push(some: Uint8Array): Uint8Array[] {
    this.#rest = Buffer.concat([this.#rest, some]);
    const messages: Uint8Array[] = [];
    for (;;) {
      const length = this.#rest.length < 2 ? undefined : ((this.#rest[0] ?? 0) << 8) | (this.#rest[1] ?? 0);
      if (length === undefined || this.#rest.length < 2 + length) return messages;
      messages.push(this.#rest.subarray(2, 2 + length));
      this.#rest = this.#rest.subarray(2 + length);
    }
  }
}

/**
 * Asks other servers one after the other until one answers.
 * @param query passed on as it is
 * @param servers their addresses
 * @returns undefined when none has answered
 */
export async function forward(query: Uint8Array, servers: readonly string[], by: 'udp' | 'tcp', port = 53): Promise<Uint8Array | undefined> {
  for (const server of servers) {
    const answer = await (by === 'udp' ? askByDatagram : askByStream)(query, server, port);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** Each question has a socket, and so a port, of its own: who wants to slip in an answer has to guess that with the id. RFC 5452 */
function askByDatagram(query: Uint8Array, server: string, port: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const socket = dgram.createSocket(server.includes(':') ? 'udp6' : 'udp4');
    const done = (answer?: Uint8Array): void => {
      clearTimeout(timer);
      socket.removeAllListeners().on('error', () => {}).close();
      resolve(answer);
    };
    const timer = setTimeout(done, patienceMs);
    socket.on('error', () => done());
    // A connected socket gets datagrams of this server alone, and learns that nobody listens there.
    socket.on('connect', () => socket.send(query)).connect(port, server);
    socket.on('message', (message) => {
      if (answers(message, query)) done(message);
    });
  });
}

function askByStream(query: Uint8Array, server: string, port: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const frames = new Frames();
    const socket = net.connect({ host: server, port, timeout: patienceMs });
    const done = (answer?: Uint8Array): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => socket.write(framed(query)));
    socket.on('error', () => done()).on('timeout', () => done()).on('close', () => done());
    socket.on('data', (some: Uint8Array) => {
      const answer = frames.push(some).find((message) => answers(message, query));
      if (answer !== undefined) done(answer);
    });
  });
}

/** Whether a message is a response to the query: the same id, and the same question if it has one. */
function answers(message: Uint8Array, query: Uint8Array): boolean {
  if (message.length < 12 || message[0] !== query[0] || message[1] !== query[1] || ((message[2] ?? 0) & 0x80) === 0) return false;
  if (message[4] === 0 && message[5] === 0) return true;
  try {
    const [asked, said] = [readQuery(query), readQuery(Buffer.concat([message.subarray(0, 2), Uint8Array.of((message[2] ?? 0) & 0x7f), message.subarray(3)]))];
    return asked.question.name.toLowerCase() === said.question.name.toLowerCase() && asked.question.type === said.question.type;
  } catch (error) {
    if (error instanceof MalformedName) return false;
    throw error;
  }
}
