/** Declared layouts of C structs and wire records: one declaration serves writing, reading and printing. Little endian. */

export type FieldType = 'u8' | 'u16' | 'u32' | 'i32' | 'u64';

const sizes: Record<FieldType, number> = { u8: 1, u16: 2, u32: 4, i32: 4, u64: 8 };

export interface Layout<Name extends string = string> {
  readonly name: string;
  /** Size in bytes, padded to the largest member as the C compiler does. */
  readonly size: number;
  readonly fields: Readonly<Record<Name, { readonly type: FieldType; readonly offset: number }>>;
}

/**
 * The layout of a C struct with natural alignment.
 * @param name the struct's name in the kernel's headers
 * @param members member name to type, in order
 */
export function struct<Name extends string>(name: string, members: Record<Name, FieldType>): Layout<Name> {
  const fields = {} as Record<Name, { type: FieldType; offset: number }>;
  let offset = 0;
  let alignment = 1;
  for (const [member, type] of Object.entries(members) as [Name, FieldType][]) {
    const size = sizes[type];
    alignment = Math.max(alignment, size);
    offset = align(offset, size);
    fields[member] = { type, offset };
    offset += size;
  }
  return { name, size: align(offset, alignment), fields };
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
  if (type === 'u32') return view.getUint32(offset, true);
  if (type === 'i32') return view.getInt32(offset, true);
  if (type === 'u16') return view.getUint16(offset, true);
  return view.getUint8(offset);
}
