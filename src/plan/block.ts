import { put, type Layout } from '../lib/layout.ts';

/** Something whose value is only known when the plan runs: an 8-byte place in a block. As an argument it stands for its contents. */
export class Cell {
  readonly name: string;
  readonly block: Block;
  readonly offset: number;
  /** Bytes that a result takes: 4 in a 32-bit member of a struct. */
  readonly size: 4 | 8;
  /** Seen by all processes of the plan. Any other cell is copied with the process, like its memory. */
  readonly shared: boolean;

  constructor(name: string, block: Block, offset: number, size: 4 | 8 = 8, shared = false) {
    this.name = name;
    this.block = block;
    this.offset = offset;
    this.size = size;
    this.shared = shared;
  }
}

/** The address of a cell, for calls that write their answer through a pointer. */
export class Address {
  readonly cell: Cell;

  constructor(cell: Cell) {
    this.cell = cell;
  }
}

/** Bytes of a plan that calls point to. `links` are 8-byte places that hold the address of another block once the plan is mapped. */
export class Block {
  readonly bytes: Uint8Array;
  readonly links: { readonly offset: number; readonly to: Block; readonly at: number }[] = [];
  /** What --explain prints for a pointer to it. */
  readonly text: () => string;

  constructor(bytes: Uint8Array, text: () => string) {
    this.bytes = bytes;
    this.text = text;
  }

  link(offset: number, to: Block | Address): void {
    if (to instanceof Address) this.links.push({ offset, to: to.cell.block, at: to.cell.offset });
    else this.links.push({ offset, to, at: 0 });
  }
}

/** A fresh cell with a block of its own. A descriptor's begins with -1, so that closing it early harms nobody. */
export function cell(name: string, first = 0): Cell {
  const bytes = new Uint8Array(8);
  put(new DataView(bytes.buffer), 0, 'u64', first);
  return new Cell(name, new Block(bytes, () => `&${name}`), 0);
}

/** A cell that one process of the plan writes for another. */
export function sharedCell(name: string, first = 0): Cell {
  const { block } = cell(name, first);
  return new Cell(name, block, 0, 8, true);
}

/** The address of a cell. */
export function addressOf(target: Cell): Address {
  return new Address(target);
}

/** Raw bytes; `text` is what --explain shows. */
export function bytes(data: Uint8Array, text: string): Block {
  return new Block(data, () => text);
}

/** `size` zero bytes for the kernel to write to. */
export function buffer(size: number, text: string): Block {
  return new Block(new Uint8Array(size), () => text);
}

const encoder = new TextEncoder();

/** A NUL-terminated string. The caller has checked that it holds no NUL itself. */
export function cString(value: string): Block {
  return new Block(encoder.encode(value + '\0'), () => JSON.stringify(value));
}

/** A NULL-terminated array of strings, as execve(2) takes for argv and envp. */
export function cStrings(values: readonly string[]): Block {
  const array = new Block(new Uint8Array(8 * (values.length + 1)), () => JSON.stringify(values));
  values.forEach((value, index) => array.link(8 * index, cString(value)));
  return array;
}

export type RecordValue = number | bigint | Block | Address | undefined;

/**
 * A filled struct. Members that are not given are zero.
 * @param spell how --explain prints a member, when a plain number would not do
 */
export function record<Name extends string>(
  layout: Layout<Name>,
  values: Partial<Record<Name, RecordValue>>,
  spell: Partial<Record<Name, (value: number | bigint) => string>> = {},
): Block {
  const data = new Uint8Array(layout.size);
  const view = new DataView(data.buffer);
  const block = new Block(data, () => printRecord(layout, values, spell));
  for (const name in values) {
    const value = values[name];
    const field = layout.fields[name];
    if (value instanceof Block || value instanceof Address) block.link(field.offset, value);
    else if (value !== undefined) put(view, field.offset, field.type, value);
  }
  return block;
}

/** The member `name`, of 8 or 4 bytes, of a record as a cell, so that an earlier call's result lands in it. */
export function member<Name extends string>(block: Block, layout: Layout<Name>, name: Name): Cell {
  const { offset, type } = layout.fields[name];
  return new Cell(`${layout.name}.${name}`, block, offset, type === 'u64' ? 8 : 4);
}

function printRecord<Name extends string>(
  layout: Layout<Name>,
  values: Partial<Record<Name, RecordValue>>,
  spell: Partial<Record<Name, (value: number | bigint) => string>>,
): string {
  const parts: string[] = [];
  for (const name in layout.fields) {
    const value = values[name];
    if (value === undefined) continue;
    if (value instanceof Block) parts.push(`${name}: ${value.text()}`);
    else if (value instanceof Address) parts.push(`${name}: &${value.cell.name}`);
    else parts.push(`${name}: ${spell[name]?.(value) ?? String(value)}`);
  }
  return `{${parts.join(', ')}}`;
}
