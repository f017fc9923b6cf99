import { errnoValue, type ErrnoName } from '../abi/names.ts';
import { syscalls } from '../abi/syscalls.ts';
import { align } from '../lib/layout.ts';
import { Address, Block, Cell, cString } from './block.ts';
import { Label, type Arg, type Plan, type Step } from './step.ts';

/** The wire form of native/plan.h. */
export const magic = 0x4e4c5044;
export const version = 1;
const headerSize = 64;
export const stepSize = 88;
const noStep = 0xffff;
const noWant = -0x80000000;
const anyErrno = 0xffff;
/** Where the executor maps a plan, so that pointers are plain numbers. */
export const base = 0x10000000;

/** Offsets in the header. */
export const planFdOffset = 40;
export const reasonsOffset = 48;
export const statusOffset = 56;
/** What stands there until the executor exits; no exit status is negative. */
export const noStatus = -1;

/** Stands for the descriptor the executor got the plan by. */
export const planFd = new Cell('plan', new Block(new Uint8Array(8), () => 'plan'), 0);

/** A plan as bytes, and what is needed to read its answers afterwards. */
export interface EncodedPlan {
  readonly bytes: Uint8Array;
  /** The steps in the order of their numbers. */
  readonly steps: readonly Step[];
  /** Where a cell's 8 bytes are. */
  offset(cell: Cell): number;
}

/** Lays a plan out for the executor. Throws an assertion when a label is missing or a section can run off its end. */
export function encode(plan: Plan): EncodedPlan {
  const { steps, labels } = number(plan);
  const layout = new BlockLayout(headerSize + steps.length * stepSize);
  const reasons = new Map<string, number>();
  const table = new DataView(new ArrayBuffer(steps.length * stepSize));
  steps.forEach((step, index) => {
    encodeStep(table, index * stepSize, step, layout, labels);
    table.setUint16(index * stepSize + 70, numberOf(reasons, step.why), true);
  });
  const texts = cString([...reasons.keys()].join('\0'));
  const reasonsAt = layout.block(texts);
  const bytes = layout.finish();
  bytes.set(new Uint8Array(table.buffer), headerSize);
  const view = new DataView(bytes.buffer);
  view.setUint32(reasonsOffset, reasonsAt, true);
  view.setUint32(reasonsOffset + 4, texts.bytes.length, true);
  view.setInt32(statusOffset, noStatus, true);
  [magic, version, bytes.length, headerSize, steps.length, 0].forEach((value, index) => view.setUint32(4 * index, value, true));
  return { bytes, steps, offset: (cell) => layout.cell(cell) };
}

function numberOf(reasons: Map<string, number>, why: string): number {
  let index = reasons.get(why);
  if (index === undefined) reasons.set(why, (index = reasons.size));
  return index;
}

function number(plan: Plan): { steps: Step[]; labels: Map<Label, number> } {
  const steps: Step[] = [];
  const labels = new Map<Label, number>();
  for (const section of plan.sections) {
    for (const item of section.items) {
      if (item instanceof Label) labels.set(item, steps.length);
      else steps.push(item);
    }
    const last = steps.at(-1);
    if (last?.call !== 'exit_group' && last?.call !== 'jump') throw new Error(`assertion: section ${section.name} runs off its end`);
  }
  if (steps.length >= noStep) throw new Error(`assertion: a plan of ${steps.length} steps`);
  return { steps, labels };
}

function encodeStep(view: DataView, at: number, step: Step, layout: BlockLayout, labels: Map<Label, number>): void {
  const place = (label: Label): number => {
    const index = labels.get(label);
    if (index === undefined) throw new Error(`assertion: no step is labelled ${label.name}`);
    return index;
  };
  view.setUint32(at, syscalls[step.call][0], true);
  let contents = 0;
  step.args.forEach((arg, index) => {
    if (arg instanceof Cell) contents |= 1 << index;
    const value = encodeArg(arg, layout, place);
    if (typeof value === 'number' && value >= 0) {
      view.setUint32(at + 8 + 8 * index, value, true);
      view.setUint32(at + 12 + 8 * index, value / 0x100000000, true);
    } else view.setBigInt64(at + 8 + 8 * index, BigInt.asIntN(64, BigInt(value)), true);
  });
  view.setUint32(at + 4, contents, true);
  view.setUint32(at + 56, step.out ? base + layout.cell(step.out) : 0, true);
  view.setUint32(at + 60, step.child ? place(step.child) : 0, true);
  view.setInt32(at + 64, step.want ?? noWant, true);
  view.setUint16(at + 68, step.out?.size === 4 ? 1 : 0, true);
  encodeAccept(view, at + 72, step, place);
}

function encodeArg(arg: Arg, layout: BlockLayout, place: (label: Label) => number): number | bigint {
  if (typeof arg === 'number' || typeof arg === 'bigint') return arg;
  if (typeof arg === 'string') return base + layout.text(arg);
  if (arg instanceof Cell) return base + layout.cell(arg);
  if (arg instanceof Address) return base + layout.cell(arg.cell);
  if (arg instanceof Label) return place(arg);
  return base + layout.block(arg);
}

function encodeAccept(view: DataView, at: number, step: Step, place: (label: Label) => number): void {
  if (!step.accept) return;
  let offset = at;
  for (const name in step.accept) {
    const target = step.accept[name as ErrnoName];
    if (target === undefined) continue;
    if (offset === at + 16) throw new Error(`assertion: ${step.call} accepts more than four errors`);
    view.setUint16(offset, name === 'any' ? anyErrno : errnoValue(name as ErrnoName), true);
    view.setUint16(offset + 2, target === 'next' ? noStep : place(target), true);
    offset += 4;
  }
}

/** Gives each block its place behind the steps, 8-byte aligned; equal strings share one. */
class BlockLayout {
  #end: number;
  readonly #offsets = new Map<Block, number>();
  readonly #strings = new Map<string, number>();

  constructor(start: number) {
    this.#end = start;
  }

  block(block: Block): number {
    const known = this.#offsets.get(block);
    if (known !== undefined) return known;
    const offset = this.#end;
    this.#offsets.set(block, offset);
    this.#end = align(offset + block.bytes.length, 8);
    for (const link of block.links) this.block(link.to);
    return offset;
  }

  text(value: string): number {
    let offset = this.#strings.get(value);
    if (offset === undefined) this.#strings.set(value, (offset = this.block(cString(value))));
    return offset;
  }

  cell(cell: Cell): number {
    return cell === planFd ? planFdOffset : this.block(cell.block) + cell.offset;
  }

  finish(): Uint8Array {
    const bytes = new Uint8Array(this.#end);
    const view = new DataView(bytes.buffer);
    for (const [block, offset] of this.#offsets) {
      bytes.set(block.bytes, offset);
      for (const link of block.links) {
        view.setBigUint64(offset + link.offset, BigInt(base + this.block(link.to) + link.at), true);
      }
    }
    return bytes;
  }
}
