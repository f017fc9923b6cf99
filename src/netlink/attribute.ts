import { NLA_F_NESTED, NLA_TYPE_MASK } from '../abi/netlink.ts';
import { align } from '../lib/layout.ts';
import { MalformedMessage } from './malformed.ts';

/** An attribute to send: its type, with flags, and its bytes, or the attributes inside it. netlink(7), "struct nlattr" */
export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array | readonly Attribute[];
}

/** Of the length and the type in front of the value. */
const headerSize = 4;

/** More than a length of 16 bits counts. */
const lengthLimit = 0xffff;

export function bytes(type: number, value: Uint8Array): Attribute {
  return { type, value };
}

export function u8(type: number, value: number): Attribute {
  return { type, value: Uint8Array.of(value) };
}

export function u16(type: number, value: number): Attribute {
  return { type, value: Uint8Array.of(value, value >> 8) };
}

export function u32(type: number, value: number): Attribute {
  return { type, value: Uint8Array.of(value, value >> 8, value >> 16, value >> 24) };
}

export function u64(type: number, value: bigint): Attribute {
  return { type, value: new Uint8Array(new BigUint64Array([BigInt.asUintN(64, value)]).buffer) };
}

/** Big endian, as nfnetlink has it. */
export function be16(type: number, value: number): Attribute {
  return { type, value: Uint8Array.of(value >> 8, value) };
}

/** Big endian; negative numbers are taken modulo 2^32. */
export function be32(type: number, value: number): Attribute {
  return { type, value: Uint8Array.of(value >> 24, value >> 16, value >> 8, value) };
}

export function be64(type: number, value: bigint): Attribute {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt.asUintN(64, value));
  return { type, value: new Uint8Array(view.buffer) };
}

/** With the NUL behind it. */
export function text(type: number, value: string): Attribute {
  return { type, value: Buffer.from(`${value}\0`) };
}

/** Without a NUL: rtnetlink's kinds of links. */
export function bareText(type: number, value: string): Attribute {
  return { type, value: Buffer.from(value) };
}

export function nested(type: number, ...children: readonly Attribute[]): Attribute {
  return { type: type | NLA_F_NESTED, value: children };
}

/** Attributes inside an attribute that does not say so: what rtnetlink had before NLA_F_NESTED, and iproute2 still sends. */
export function group(type: number, ...children: readonly Attribute[]): Attribute {
  return { type, value: children };
}

/**
 * The bytes of attributes, each padded to four.
 * @throws RangeError when a value is longer than 65531 bytes
 */
export function encodeAttributes(attributes: readonly Attribute[]): Uint8Array {
  const parts = attributes.map(({ type, value }) => ({ type, value: value instanceof Uint8Array ? value : encodeAttributes(value) }));
  const encoded = new Uint8Array(parts.reduce((sum, { value }) => sum + align(headerSize + value.length, 4), 0));
  const view = new DataView(encoded.buffer);
  let offset = 0;
  for (const { type, value } of parts) {
    const length = headerSize + value.length;
    if (length > lengthLimit) throw new RangeError(`a netlink attribute has at most ${lengthLimit} bytes, not ${length}`);
    view.setUint16(offset, length, true);
    view.setUint16(offset + 2, type, true);
    encoded.set(value, offset + headerSize);
    offset += align(length, 4);
  }
  return encoded;
}

/** Where the attribute at a byte of encoded attributes is: the types that lead to it, or undefined when no attribute begins there. */
export function pathAt(attributes: readonly Attribute[], wanted: number): number[] | undefined {
  let offset = 0;
  for (const { type, value } of attributes) {
    const kind = type & NLA_TYPE_MASK & 0xffff;
    if (wanted === offset) return [kind];
    const length = headerSize + (value instanceof Uint8Array ? value : encodeAttributes(value)).length;
    if (wanted < offset + length) {
      const inside = value instanceof Uint8Array ? undefined : pathAt(value, wanted - offset - headerSize);
      return [kind, ...(inside ?? [])];
    }
    offset += align(length, 4);
  }
  return undefined;
}

/** Attributes that were received. Reading one that is too short for what it should be throws {@link MalformedMessage}. */
export class Attributes {
  /** Type, without its flags, and value, in the order received. */
  readonly entries: readonly (readonly [type: number, value: Uint8Array])[];

  constructor(encoded: Uint8Array) {
    this.entries = [...split(encoded)];
  }

  /** The value of an attribute; of the last when there are several, as the kernel takes it. */
  bytes(type: number): Uint8Array | undefined {
    return this.entries.findLast(([kind]) => kind === type)?.[1];
  }

  u8(type: number): number | undefined {
    return this.#view(type, 1)?.getUint8(0);
  }

  u16(type: number): number | undefined {
    return this.#view(type, 2)?.getUint16(0, true);
  }

  u32(type: number): number | undefined {
    return this.#view(type, 4)?.getUint32(0, true);
  }

  i32(type: number): number | undefined {
    return this.#view(type, 4)?.getInt32(0, true);
  }

  be16(type: number): number | undefined {
    return this.#view(type, 2)?.getUint16(0);
  }

  be32(type: number): number | undefined {
    return this.#view(type, 4)?.getUint32(0);
  }

  be64(type: number): bigint | undefined {
    return this.#view(type, 8)?.getBigUint64(0);
  }

  /** Up to the first NUL, if there is one. */
  text(type: number): string | undefined {
    const value = this.bytes(type);
    if (value === undefined) return undefined;
    const end = value.indexOf(0);
    return Buffer.from(end < 0 ? value : value.subarray(0, end)).toString();
  }

  nested(type: number): Attributes | undefined {
    const value = this.bytes(type);
    return value === undefined ? undefined : new Attributes(value);
  }

  #view(type: number, size: number): DataView | undefined {
    const value = this.bytes(type);
    if (value === undefined) return undefined;
    if (value.length < size) throw new MalformedMessage(`attribute ${type} has ${value.length} bytes where ${size} are needed`);
    return new DataView(value.buffer, value.byteOffset, value.length);
  }
}

function* split(encoded: Uint8Array): Generator<readonly [number, Uint8Array]> {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.length);
  for (let offset = 0; offset < encoded.length;) {
    const left = encoded.length - offset;
    // Padding behind the last one, which a sender may leave out or in.
    if (left < headerSize) return;
    const length = view.getUint16(offset, true);
    if (length < headerSize || length > left) throw new MalformedMessage(`an attribute of ${length} bytes at ${offset} of ${encoded.length}`);
    yield [view.getUint16(offset + 2, true) & NLA_TYPE_MASK & 0xffff, encoded.subarray(offset + headerSize, offset + length)];
    offset += align(length, 4);
  }
}
