import { align } from '../lib/layout.ts';
import { encodeAttributes, type Attribute } from './attribute.ts';
import { MalformedMessage } from './malformed.ts';

/** What is asked of the kernel: the message without what the socket adds, its sequence number and port. */
export interface Request {
  readonly type: number;
  /** NLM_F_ more than NLM_F_REQUEST and NLM_F_ACK, which the socket adds. */
  readonly flags: number;
  /** The fixed struct of this type of message, a multiple of four bytes. */
  readonly header: Uint8Array;
  readonly attributes: readonly Attribute[];
  /** What it does, for the sentence of a refusal: `make the bridge delos0`. */
  readonly what: string;
}

/** A message as it travels. netlink(7), "struct nlmsghdr" */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** 0 of the kernel. */
  readonly port: number;
  readonly payload: Uint8Array;
}

/** sizeof(struct nlmsghdr) */
export const messageHeaderSize = 16;

/** The bytes of one message, padded to four. */
export function encodeMessage({ type, flags, sequence, port, payload }: Message): Uint8Array {
  const length = messageHeaderSize + payload.length;
  const encoded = new Uint8Array(align(length, 4));
  const view = new DataView(encoded.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  view.setUint32(12, port, true);
  encoded.set(payload, messageHeaderSize);
  return encoded;
}

/** A request with its sequence number; `flags` are its own and these. */
export function encodeRequest({ type, flags, header, attributes }: Request, sequence: number, more: number): Uint8Array {
  return encodeMessage({ type, flags: flags | more, sequence, port: 0, payload: Buffer.concat([header, encodeAttributes(attributes)]) });
}

/**
 * The messages of one datagram.
 * @throws MalformedMessage when a length does not fit
 */
export function decodeMessages(datagram: Uint8Array): Message[] {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  const messages: Message[] = [];
  for (let offset = 0; offset < datagram.length;) {
    const left = datagram.length - offset;
    const length = left < messageHeaderSize ? 0 : view.getUint32(offset, true);
    if (length < messageHeaderSize || length > left) throw new MalformedMessage(`a message of ${length} bytes at ${offset} of ${datagram.length}`);
    messages.push({
      type: view.getUint16(offset + 4, true),
      flags: view.getUint16(offset + 6, true),
      sequence: view.getUint32(offset + 8, true),
      port: view.getUint32(offset + 12, true),
      payload: datagram.subarray(offset + messageHeaderSize, offset + length),
    });
    offset += align(length, 4);
  }
  return messages;
}

/** The part of a payload behind its fixed struct. */
export function afterHeader(payload: Uint8Array, size: number): Uint8Array {
  if (payload.length < size) throw new MalformedMessage(`a payload of ${payload.length} bytes where ${size} are needed`);
  return payload.subarray(size);
}
