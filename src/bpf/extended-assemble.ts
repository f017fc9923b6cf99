import type { ExtendedInstruction, ExtendedItem } from './extended.ts';

/** Bytes of one `struct bpf_insn`. */
export const extendedInstructionSize = 8;

/** LD | IMM | DW, the only instruction that takes the room of two. */
const loadWide = 0x18;

/**
 * The bytes of a program: `struct bpf_insn[]`, little endian, labels resolved.
 * @throws Error (a bug of the caller) for a label that is missing or given twice, and for a number out of range
 */
export function assembleExtended(items: readonly ExtendedItem[]): Uint8Array<ArrayBuffer> {
  const { places, length } = layout(items);
  const bytes = new Uint8Array(length * extendedInstructionSize);
  const view = new DataView(bytes.buffer);
  let place = 0;
  for (const item of items) {
    if ('label' in item) continue;
    const next = place + slots(item);
    encode(view, place * extendedInstructionSize, item, distance(item, next, places));
    place = next;
  }
  return bytes;
}

function layout(items: readonly ExtendedItem[]): { places: Map<string, number>; length: number } {
  const places = new Map<string, number>();
  let length = 0;
  for (const item of items) {
    if ('label' in item) {
      if (places.has(item.label)) throw new Error(`eBPF: label ${item.label} is given twice`);
      places.set(item.label, length);
    } else {
      length += slots(item);
    }
  }
  return { places, length };
}

function slots(instruction: ExtendedInstruction): number {
  return instruction.opcode === loadWide ? 2 : 1;
}

/** The number for the 16-bit field: a displacement as it is, a label as its distance from the next instruction. */
function distance(instruction: ExtendedInstruction, next: number, places: ReadonlyMap<string, number>): number {
  const { offset } = instruction;
  if (typeof offset === 'number') return inRange('offset', offset, -0x8000, 0x7fff);
  const goal = places.get(offset.label);
  if (goal === undefined) throw new Error(`eBPF: no label ${offset.label}`);
  return inRange(`distance to ${offset.label}`, goal - next, -0x8000, 0x7fff);
}

function encode(view: DataView, at: number, instruction: ExtendedInstruction, offset: number): void {
  view.setUint8(at, instruction.opcode);
  view.setUint8(at + 1, (instruction.src << 4) | instruction.dst);
  view.setInt16(at + 2, offset, true);
  if (slots(instruction) === 1) {
    view.setInt32(at + 4, inRange('constant', Number(instruction.imm), -0x8000_0000, 0xffff_ffff), true);
    return;
  }
  const value = BigInt.asUintN(64, BigInt(instruction.imm));
  view.setUint32(at + 4, Number(value & 0xffff_ffffn), true);
  view.setUint32(at + 12, Number(value >> 32n), true);
}

function inRange(what: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new Error(`eBPF: ${what} ${value} is outside ${low} to ${high}`);
}
