/** Declared layouts of C structs and wire records: one declaration serves writing, reading and printing. Little endian. */

export type FieldType = 'u8' | 'u16' | 'u32' | 'i32' | 'u64' | 'f64';

/** A member of a struct: one value, or an array of so many. */
export type Member = FieldType | readonly [type: FieldType, count: number];

const sizes: Record<FieldType, number> = { u8: 1, u16: 2, u32: 4, i32: 4, u64: 8, f64: 8 };

export interface Layout<Name extends string = string, Shape = unknown> {
  readonly name: string;
  /** Size in bytes, padded to the largest member as the C compiler does. */
  readonly size: number;
  /** Where each member is. `count` is the length of an array, 1 for one value. */
  readonly fields: Readonly<Record<Name, { readonly type: FieldType; readonly offset: number; readonly count: number }>>;
  /** The declaration: members in order. */
  readonly members: Shape;
}

/**
 * The layout of a C struct with natural alignment.
 * @param name the struct's name in the kernel's headers
 * @param members member name to type, or to type and length of an array, in order
 */
export function struct<const Shape extends Readonly<Record<string, Member>>>(name: string, members: Shape): Layout<keyof Shape & string, Shape> {
  const fields = {} as Record<keyof Shape & string, { type: FieldType; offset: number; count: number }>;
  let offset = 0;
  let alignment = 1;
  for (const [member, declared] of Object.entries(members) as [keyof Shape & string, Member][]) {
    const [type, count] = typeof declared === 'string' ? [declared, 1] : declared;
    const size = sizes[type];
    alignment = Math.max(alignment, size);
    offset = align(offset, size);
    fields[member] = { type, offset, count };
    offset += size * count;
  }
  return { name, size: align(offset, alignment), fields, members };
}
/** `value` rounded up to a multiple of `alignment`, a power of two. */
export function align(value: number, alignment: number): number {
  return (value + alignment - 1) & -alignment;
}

/** Writes one member. Numbers are taken modulo the member's width, so -1 is all ones. */
export function put(view: DataView, offset: number, type: FieldType, value: number | bigint): void {
  if (type === 'u64' && typeof value === 'number' && value >= 0) {
    view.setUint32(offset, value, true);
    view.setUint32(offset + 4, value / 0x100000000, true);
  } else if (type === 'u64') view.setBigUint64(offset, BigInt.asUintN(64, BigInt(value)), true);
  else if (type === 'f64') view.setFloat64(offset, Number(value), true);
  else if (type === 'u32') view.setUint32(offset, Number(value), true);
  else if (type === 'i32') view.setInt32(offset, Number(value), true);
  else if (type === 'u16') view.setUint16(offset, Number(value), true);
  else view.setUint8(offset, Number(value));
}

/** Reads one member; a u64 that a number holds exactly becomes a number, a larger one stays a bigint. */
export function get(view: DataView, offset: number, type: FieldType): number | bigint {
  if (type === 'u64') {
    const value = view.getBigUint64(offset, true);
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }
  if (type === 'f64') return view.getFloat64(offset, true);
  if (type === 'u32') return view.getUint32(offset, true);
  if (type === 'i32') return view.getInt32(offset, true);
  if (type === 'u16') return view.getUint16(offset, true);
  return view.getUint8(offset);
}
