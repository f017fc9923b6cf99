import { errnoValue, type ErrnoName } from '../abi/names.ts';
import { syscalls } from '../abi/syscalls.ts';
import { align } from '../lib/layout.ts';
import { Address, Block, Cell, cString } from './block.ts';
import { Label, type Arg, type Plan, type Step } from './step.ts';

/** The wire form of native/plan.h. */
export const magic = 0x4e4c5044;
export const version = 1;
export const headerSize = 112;
/** The page that all processes of a plan share: the header and the shared cells. The rest is each process's own. */
export const sharedSize = 4096;
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
export const argumentsOffset = 64;
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
  const image = new Image(sharedSize + steps.length * stepSize);
  const reasons = new Reasons();
  for (let index = 0; index < steps.length; index++) encodeStep(image, sharedSize + index * stepSize, steps[index] as Step, labels, reasons);
  const texts = cString(reasons.text());
  const reasonsAt = image.block(texts);
  const bytes = image.finish();
  const header = new Uint32Array(bytes.buffer, 0, headerSize / 4);
  header.set([magic, version, bytes.length, sharedSize, steps.length]);
  header[reasonsOffset / 4] = reasonsAt;
  header[reasonsOffset / 4 + 1] = texts.bytes.length;
  header[statusOffset / 4] = noStatus;
  return { bytes, steps, offset: (cell) => image.cell(cell) };
}

type Labels = ReadonlyMap<Label, number>;

function number(plan: Plan): { steps: Step[]; labels: Labels } {
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

/** The index of the step a label stands before. */
function place(labels: Labels, label: Label): number {
  const index = labels.get(label);
  if (index === undefined) throw new Error(`assertion: no step is labelled ${label.name}`);
  return index;
}

function encodeStep(image: Image, at: number, step: Step, labels: Labels, reasons: Reasons): void {
  const { args, out, child } = step;
  let contents = 0;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as Arg;
    if (arg instanceof Cell) contents |= 1 << index;
    encodeArg(image, at + 8 + 8 * index, arg, labels);
  }
  image.put32(at, syscalls[step.call][0]);
  image.put32(at + 4, contents);
  if (out !== undefined) image.put32(at + 56, base + image.cell(out));
  if (child !== undefined) image.put32(at + 60, place(labels, child));
  image.put32(at + 64, step.want ?? noWant);
  image.put32(at + 68, (out?.size === 4 ? 1 : 0) | (reasons.number(step.why) << 16));
  if (step.accept !== undefined) encodeAccept(image, at + 72, step, labels);
}

function encodeArg(image: Image, at: number, arg: Arg, labels: Labels): void {
  if (typeof arg === 'number') image.put64(at, arg);
  else if (typeof arg === 'string') image.put32(at, base + image.text(arg));
  else if (arg instanceof Cell) image.put32(at, base + image.cell(arg));
  else if (arg instanceof Block) image.put32(at, base + image.block(arg));
  else if (arg instanceof Label) image.put32(at, place(labels, arg));
  else if (arg instanceof Address) image.put32(at, base + image.cell(arg.cell));
  else image.putBig(at, arg);
}

function encodeAccept(image: Image, at: number, { accept = {}, call }: Step, labels: Labels): void {
  let offset = at;
  for (const name in accept) {
    const target = accept[name as ErrnoName];
    if (target === undefined) continue;
    if (offset === at + 16) throw new Error(`assertion: ${call} accepts more than four errors`);
    const error = name === 'any' ? anyErrno : errnoValue(name as ErrnoName);
    image.put32(offset, error | ((target === 'next' ? noStep : place(labels, target)) << 16));
    offset += 4;
  }
}

/** Why the steps are there, each reason once. Neighbours mostly have the same. */
class Reasons {
  readonly #numbers = new Map<string, number>();
  #lastText = '';
  #lastNumber = -1;

  number(why: string): number {
    if (this.#lastNumber >= 0 && why === this.#lastText) return this.#lastNumber;
    let index = this.#numbers.get(why);
    if (index === undefined) this.#numbers.set(why, (index = this.#numbers.size));
    this.#lastText = why;
    this.#lastNumber = index;
    return index;
  }

  text(): string {
    return [...this.#numbers.keys()].join('\0');
  }
}

/**
 * The bytes of a plan as they grow: first the steps, behind them the blocks, 8-byte aligned, each where it was first asked for;
 * equal strings share one. Numbers are stored as this machine has them, and x86-64 is little endian.
 */
class Image {
  #bytes: Uint8Array<ArrayBuffer>;
  #words: Int32Array;
  #end: number;
  readonly #offsets = new Map<Block, number>();
  readonly #strings = new Map<string, number>();
  #sharedEnd = headerSize;

  /** @param start where blocks begin; what is before it is zero */
  constructor(start: number) {
    this.#end = align(start, 8);
    this.#bytes = new Uint8Array(align(start + 32 * 1024, 8));
    this.#words = new Int32Array(this.#bytes.buffer);
  }

  put32(at: number, value: number): void {
    this.#words[at >> 2] = value;
  }

  /** A whole number of up to 53 bits; a negative one is sign-extended. */
  put64(at: number, value: number): void {
    this.#words[at >> 2] = value;
    if (value < 0 || value > 0xffffffff) this.#words[(at >> 2) + 1] = Math.floor(value / 0x100000000);
  }

  putBig(at: number, value: bigint): void {
    this.#words[at >> 2] = Number(BigInt.asIntN(32, value));
    this.#words[(at >> 2) + 1] = Number(BigInt.asIntN(32, value >> 32n));
  }

  block(block: Block): number {
    const known = this.#offsets.get(block);
    if (known !== undefined) return known;
    const offset = this.#take(block.bytes.length);
    this.#offsets.set(block, offset);
    this.#bytes.set(block.bytes, offset);
    for (const link of block.links) {
      const address = base + this.block(link.to) + link.at;
      this.put64(offset + link.offset, address);
    }
    return offset;
  }

  text(value: string): number {
    let offset = this.#strings.get(value);
    if (offset === undefined) this.#strings.set(value, (offset = this.#write(value)));
    return offset;
  }

  cell(cell: Cell): number {
    if (cell === planFd) return planFdOffset;
    return cell.shared ? this.#sharedCell(cell) : this.block(cell.block) + cell.offset;
  }

  #sharedCell(cell: Cell): number {
    let offset = this.#offsets.get(cell.block);
    if (offset === undefined) {
      offset = this.#sharedEnd;
      this.#sharedEnd = align(offset + cell.block.bytes.length, 8);
      if (this.#sharedEnd > sharedSize) throw new Error('assertion: more shared cells than a page holds');
      this.#offsets.set(cell.block, offset);
      this.#bytes.set(cell.block.bytes, offset);
    }
    return offset + cell.offset;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#end);
  }

  /** A NUL-terminated string. UTF-8 takes at most three bytes for each unit of UTF-16. */
  #write(value: string): number {
    const offset = this.#take(3 * value.length + 1);
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(offset));
    this.#end = align(offset + written + 1, 8);
    return offset;
  }

  #take(size: number): number {
    const offset = this.#end;
    this.#end = align(offset + size, 8);
    if (this.#end > this.#bytes.length) this.#grow();
    return offset;
  }

  #grow(): void {
    const larger = new Uint8Array(2 * this.#end);
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#words = new Int32Array(larger.buffer);
  }
}

const encoder = new TextEncoder();
