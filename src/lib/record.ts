/** Live, typed views of bytes in a declared layout: `record(layout, bytes).lcr = 3` writes the byte. What a device keeps in one is saved by copying bytes. */

import type { FieldType, Layout, Member } from './layout.ts';

interface Arrays {
  u8: Uint8Array;
  u16: Uint16Array;
  u32: Uint32Array;
  i32: Int32Array;
  u64: BigUint64Array;
  f64: Float64Array;
}

type Scalar<Type extends FieldType> = Type extends 'u64' ? bigint : number;

/** Values by name, to read and to write, taken modulo their width; arrays by name, whose elements are. */
export type RecordOf<Shape> = {
  -readonly [Name in keyof Shape as Shape[Name] extends FieldType ? Name : never]: Shape[Name] extends FieldType ? Scalar<Shape[Name]> : never;
} & {
  readonly [Name in keyof Shape as Shape[Name] extends FieldType ? never : Name]: Shape[Name] extends readonly [infer Type extends FieldType, number] ? Arrays[Type] : never;
};

const VIEW = Symbol('view');

interface Viewing {
  readonly [VIEW]: DataView;
}

/** Property descriptors of a value at an offset. They are on a prototype, so that an optimising compiler makes a load of each. */
const accessors: { readonly [Type in FieldType]: (offset: number) => PropertyDescriptor & ThisType<Viewing> } = {
  u8: (offset) => ({ get() { return this[VIEW].getUint8(offset); }, set(value: number) { this[VIEW].setUint8(offset, value); } }),
  u16: (offset) => ({ get() { return this[VIEW].getUint16(offset, true); }, set(value: number) { this[VIEW].setUint16(offset, value, true); } }),
  u32: (offset) => ({ get() { return this[VIEW].getUint32(offset, true); }, set(value: number) { this[VIEW].setUint32(offset, value, true); } }),
  i32: (offset) => ({ get() { return this[VIEW].getInt32(offset, true); }, set(value: number) { this[VIEW].setInt32(offset, value, true); } }),
  u64: (offset) => ({ get() { return this[VIEW].getBigUint64(offset, true); }, set(value: bigint) { this[VIEW].setBigUint64(offset, value, true); } }),
  f64: (offset) => ({ get() { return this[VIEW].getFloat64(offset, true); }, set(value: number) { this[VIEW].setFloat64(offset, value, true); } }),
};

/** Elements are in the order of the processor, which has to be little endian for them to be as declared; all that this runs on are. */
const arrays: { readonly [Type in FieldType]: (buffer: ArrayBufferLike, offset: number, count: number) => Arrays[Type] } = {
  u8: (buffer, offset, count) => new Uint8Array(buffer, offset, count),
  u16: (buffer, offset, count) => new Uint16Array(buffer, offset, count),
  u32: (buffer, offset, count) => new Uint32Array(buffer, offset, count),
  i32: (buffer, offset, count) => new Int32Array(buffer, offset, count),
  u64: (buffer, offset, count) => new BigUint64Array(buffer, offset, count),
  f64: (buffer, offset, count) => new Float64Array(buffer, offset, count),
};

const prototypes = new WeakMap<Layout, object>();

function prototypeOf(layout: Layout): object {
  const made = prototypes.get(layout);
  if (made !== undefined) return made;
  const prototype = {};
  for (const [name, { type, offset }] of Object.entries(layout.fields)) {
    if (typeof (layout.members as Record<string, Member>)[name] === 'string') Object.defineProperty(prototype, name, { ...accessors[type](offset), enumerable: true });
  }
  prototypes.set(layout, prototype);
  return prototype;
}

/**
 * A view of the first `layout.size` of `bytes`.
 * @throws RangeError when there are fewer, or when arrays of wider elements would not be aligned
 */
export function record<Shape>(layout: Layout<keyof Shape & string, Shape>, bytes: Uint8Array): RecordOf<Shape> {
  const view = Object.create(prototypeOf(layout)) as Record<string | symbol, unknown>;
  view[VIEW] = new DataView(bytes.buffer, bytes.byteOffset, layout.size);
  for (const [name, { type, offset, count }] of Object.entries(layout.fields) as [string, Layout['fields'][string]][]) {
    if (typeof (layout.members as Record<string, Member>)[name] !== 'string') view[name] = arrays[type](bytes.buffer, bytes.byteOffset + offset, count);
  }
  return view as RecordOf<Shape>;
}
