import { EAGAIN, EMSGSIZE, ENOBUFS, ETIMEDOUT } from '../abi/errno.ts';
import {
  NETLINK_CAP_ACK, NETLINK_EXT_ACK, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN, NLM_F_ACK, NLM_F_DUMP_INTR, NLM_F_MATCH, NLM_F_REQUEST,
  NLM_F_ROOT, MSG_TRUNC, SOL_NETLINK, SO_RCVBUFFORCE, SO_RCVTIMEO_OLD, SO_SNDBUFFORCE,
} from '../abi/netlink.ts';
import fs from 'node:fs';
import { AF_NETLINK, SOCK_CLOEXEC, SOCK_RAW, SOL_SOCKET } from '../abi/socket.ts';
import { SystemCallError, syscall } from '../sys/syscall.ts';
import { decodeMessages, encodeRequest, type Message, type Request } from './message.ts';
import { NetlinkError, readAcknowledgement } from './refusal.ts';

/** The kernel answers while it is asked, so this is only waited for when an answer is lost. */
const answerSeconds = 5;

/** Room for a batch of nf_tables with some tens of thousands of elements, and for the answers to it. */
const bufferBytes = 8 * 1024 * 1024;

/** The kernel cuts a dump to what the reader has room for, up to 32 KiB. */
const datagramBytes = 64 * 1024;

/** A dump during which something changed is asked for again; a host that changes this often has no one state to tell. */
const dumpAttempts = 10;

/** The ends of requests that are sent together. nf_tables has such: {@link NetlinkSocket.batch}. */
export interface Frame {
  readonly begin: Request;
  readonly end: Request;
}

/**
 * A netlink socket in the network namespace of the thread that makes it; it stays there. Synchronous, as the kernel is: it works a
 * request off inside of sendto(2). netlink(7)
 */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  readonly #datagram = new Uint8Array(datagramBytes);
  #sequence = 0;

  /** @param protocol NETLINK_ROUTE, NETLINK_NETFILTER */
  constructor(protocol: number) {
    this.#fd = syscall('socket', AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    try {
      this.#set(SOL_NETLINK, NETLINK_EXT_ACK, Uint32Array.of(1));
      this.#set(SOL_NETLINK, NETLINK_CAP_ACK, Uint32Array.of(1));
      this.#set(SOL_SOCKET, SO_RCVTIMEO_OLD, BigUint64Array.of(BigInt(answerSeconds), 0n));
      syscall('bind', this.#fd, kernel, kernel.length);
    } catch (error) {
      fs.closeSync(this.#fd);
      throw error;
    }
  }

  /**
   * Asks for something to be done, or for one thing. Gives what came before the acknowledgement.
   * @throws NetlinkError
   */
  request(request: Request): Message[] {
    const sequence = this.#next();
    this.#send(encodeRequest(request, sequence, NLM_F_REQUEST | NLM_F_ACK));
    return this.#collect(request, sequence);
  }

  /**
   * Sends requests in one datagram: one call instead of one for each. The kernel does them in order, and one that it refuses does not keep it from
   * those behind: they must do no harm then.
   * @param accepted refusals that are no failure
   * @returns for each what came before its acknowledgement
   * @throws NetlinkError of the first that was refused
   */
  requests(requests: readonly Request[], ...accepted: readonly string[]): Message[][] {
    const first = this.#sequence + 1;
    this.#sequence += requests.length;
    this.#send(Buffer.concat(requests.map((request, index) => encodeRequest(request, first + index, NLM_F_REQUEST | NLM_F_ACK))));
    return requests.map((request, index) => {
      try {
        return this.#collect(request, first + index);
      } catch (error) {
        if (error instanceof NetlinkError && accepted.includes(error.errno)) return [];
        throw error;
      }
    });
  }

  /**
   * Asks for a list.
   * @throws NetlinkError; EAGAIN when the list changed whenever it was read
   */
  dump(request: Request): Message[] {
    for (let attempt = 0; attempt < dumpAttempts; attempt++) {
      const sequence = this.#next();
      this.#send(encodeRequest(request, sequence, NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH));
      const messages = this.#collect(request, sequence);
      if (messages.every(({ flags }) => (flags & NLM_F_DUMP_INTR) === 0)) return messages;
    }
    throw new NetlinkError(request, { number: EAGAIN, text: `it changed ${dumpAttempts} times while it was read` });
  }

  /**
   * Sends requests between the two of the frame, in one datagram: all of them are done or none.
   * @throws NetlinkError of the first that was refused
   */
  batch({ begin, end }: Frame, requests: readonly Request[]): void {
    if (requests.length === 0) return;
    const all = [begin, ...requests, end];
    const first = this.#sequence + 1;
    this.#sequence += all.length;
    // Only the last is acknowledged; each that is refused is answered in any case, and these answers come first.
    const encoded = all.map((request, index) => encodeRequest(request, first + index, NLM_F_REQUEST | (index === requests.length ? NLM_F_ACK : 0)));
    const datagram = Buffer.concat(encoded);
    this.#makeRoom(datagram.length);
    this.#send(datagram);
    this.#awaitBatch(all, first, first + requests.length);
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#fd);
  }

  #awaitBatch(all: readonly Request[], first: number, last: number): void {
    for (;;) {
      for (const message of this.#receive(all[0] as Request)) {
        const request = all[message.sequence - first];
        if (message.type !== NLMSG_ERROR || request === undefined) continue;
        const acknowledgement = readAcknowledgement(message);
        if (acknowledgement.number !== 0) throw new NetlinkError(request, acknowledgement);
        if (message.sequence === last) return;
      }
    }
  }

  /** Up to the acknowledgement, or the end of a list. What belongs to an earlier request is passed over. */
  #collect(request: Request, sequence: number): Message[] {
    const collected: Message[] = [];
    for (;;) {
      for (const message of this.#receive(request)) {
        if (message.sequence !== sequence || message.type === NLMSG_NOOP) continue;
        if (message.type === NLMSG_OVERRUN) throw new NetlinkError(request, { number: ENOBUFS, text: 'answers were lost' });
        if (message.type === NLMSG_DONE) return finished(request, message, collected);
        if (message.type !== NLMSG_ERROR) {
          collected.push(message);
          continue;
        }
        const acknowledgement = readAcknowledgement(message);
        if (acknowledgement.number !== 0) throw new NetlinkError(request, acknowledgement);
        return collected;
      }
    }
  }

  #receive(request: Request): Message[] {
    for (;;) {
      const from = new Uint8Array(kernel.length);
      const size = this.#try(request, () => syscall('recvfrom', this.#fd, this.#datagram, this.#datagram.length, MSG_TRUNC, from, Uint32Array.of(from.length)));
      if (size > this.#datagram.length) throw new NetlinkError(request, { number: EMSGSIZE, text: `an answer of ${size} bytes` });
      // Other processes can send here too: only what comes from port 0 is the kernel's.
      if (new DataView(from.buffer).getUint32(4, true) === 0) return decodeMessages(this.#datagram.slice(0, size));
    }
  }

  #send(datagram: Uint8Array): void {
    syscall('sendto', this.#fd, datagram, datagram.length, 0, kernel, kernel.length);
  }

  #try(request: Request, call: () => number): number {
    for (;;) {
      try {
        return call();
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        if (error.errno === 'ENOBUFS') throw new NetlinkError(request, { number: error.number, text: 'answers were lost' });
        if (error.errno === 'EAGAIN') throw new NetlinkError(request, { number: ETIMEDOUT, text: `no answer in ${answerSeconds} s` });
        if (error.errno !== 'EINTR') throw error;
      }
    }
  }

  #makeRoom(length: number): void {
    if (length < 64 * 1024) return;
    this.#set(SOL_SOCKET, SO_SNDBUFFORCE, Uint32Array.of(bufferBytes));
    this.#set(SOL_SOCKET, SO_RCVBUFFORCE, Uint32Array.of(bufferBytes));
  }

  #set(level: number, option: number, value: Uint32Array | BigUint64Array): void {
    syscall('setsockopt', this.#fd, level, option, value, value.byteLength);
  }

  #next(): number {
    this.#sequence += 1;
    return this.#sequence;
  }
}

/** struct sockaddr_nl of the kernel, port 0; as one's own address it asks for any free port. */
const kernel = Uint8Array.of(AF_NETLINK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

/** The end of a list carries an error too, if it was broken off. */
function finished(request: Request, { payload }: Message, collected: Message[]): Message[] {
  const error = payload.length >= 4 ? new DataView(payload.buffer, payload.byteOffset).getInt32(0, true) : 0;
  if (error < 0) throw new NetlinkError(request, { number: -error });
  return collected;
}
