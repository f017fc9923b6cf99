/**
 * Finds what is hot and has it translated. The loop of the interpreter is left at regular intervals, each time where a jump has led to: a place that is
 * met there several times is one that much time is spent near. This costs the interpreter nothing between two such times.
 */

import type { CodeSize, Decoded } from '../decode.ts';
import { Imports } from '../emit/compile.ts';
import type { Instruction } from '../isa/instruction.ts';
import type { CodeCache } from '../interpreter/code-cache.ts';
import { firstRegion, type Handlers } from '../interpreter/handlers.ts';
import { RECORD } from '../layout.ts';
import { RegionBuilder, Unsupported } from './builder.ts';
import { RegionCode } from './code.ts';
import { blocksAround, headOf, loopAround, type Block } from './graph.ts';
import { translateRegion } from './translate.ts';

/** Between two samples. A prime, so that loops of one length are not always met at one place. */
export const sampleInterval = 20_011;
/** So often has a place been met when it is hot. */
const hot = 3;
/** Instructions of a region. */
const largest = 128;
/** Bytes of its function: V8 optimises none that is much larger. */
const largestCode = 40_000;
/** A page whose regions have become wrong so often is written to all the time. */
const mostForgotten = 8;

/** Where an instruction is in physical memory, and where its page is in the host's. */
export interface Place {
  readonly page: number;
  readonly host: number;
  readonly offset: number;
  readonly size: CodeSize;
}

export class Regions {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #handlers: Handlers;
  readonly #cache: CodeCache;
  /** By records: how often they have been met; 0 for those that no region is made for. */
  readonly #met = new Map<number, number>();
  readonly #supported = new Map<Instruction, Map<number, boolean>>();
  /** Numbers of the regions of a page. */
  readonly #ofPage = new Map<number, number[]>();
  readonly #forgotten = new Map<number, number>();
  #free: number[] = [];
  #next = firstRegion;
  /** How many have been made. */
  made = 0;

  constructor(memory: WebAssembly.Memory, handlers: Handlers, cache: CodeCache) {
    this.#view = new DataView(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#handlers = handlers;
    this.#cache = cache;
  }

  /** The loop has been left in front of a record after an interval. @param where asked when it is hot */
  meet(record: number, where: () => Place | undefined): void {
    const before = this.#met.get(record);
    if (before === 0 || this.#isRegion(record)) return;
    const times = (before ?? 0) + 1;
    this.#met.set(record, times);
    if (times < hot) return;
    this.#met.set(record, 0);
    const place = where();
    if (place !== undefined && (this.#forgotten.get(place.page) ?? 0) < mostForgotten) this.makeLoop(place);
  }

  #isRegion(record: number): boolean {
    return this.#view.getUint16(record + RECORD.handler, true) >= firstRegion;
  }

  /** A region of the loop that a place is in. @returns false when there is none, or nothing that can be one */
  makeLoop(place: Place): boolean {
    if (place.size === 16) return false;
    for (let limit = largest; limit > 8; limit >>= 1) {
      const around = loopAround(this.#around(place, place.offset, limit), place.offset);
      if (around.size === 0) return false;
      // All of a loop is reached from each of its blocks.
      const head = headOf(around, place.offset);
      if (this.#make(place, head, around)) return true;
    }
    return false;
  }

  /** A region of an instruction alone: for comparisons. @returns false when it can't be one */
  makeOne(place: Place): boolean {
    const first = this.#around(place, place.offset, 1).get(place.offset);
    return first !== undefined && this.#make(place, place.offset, new Map([[place.offset, { ...first, successors: [] }]]));
  }

  #around({ host, size }: Place, offset: number, limit: number): Map<number, Block> {
    return blocksAround(this.#bytes.subarray(host, host + 4096), offset, { size, limit, supports: (decoded) => this.#supports(decoded, size === 64) });
  }

  /** @returns false when its code would be too large */
  #make({ page, host, size }: Place, head: number, blocks: ReadonlyMap<number, Block>): boolean {
    const recordAt = (offset: number): number => this.#cache.find(page, host, offset, size).record;
    const record = recordAt(head);
    if (this.#isRegion(record)) return true;
    const self = this.#cache.full ? undefined : this.#free.pop() ?? this.#fresh();
    if (self === undefined) return true;
    const original = this.#view.getUint16(record + RECORD.handler, true);
    const bytes = translateRegion({ blocks, head, long: size === 64, recordAt, self, original }, this.#handlers);
    if (bytes.length > largestCode) {
      this.#free.push(self);
      return false;
    }
    this.#handlers.install(self, bytes);
    this.#view.setUint16(record + RECORD.handler, self, true);
    this.#ofPage.set(page, [...this.#ofPage.get(page) ?? [], self]);
    this.made++;
    return true;
  }

  #fresh(): number | undefined {
    return this.#next > 0xffff ? undefined : this.#next++;
  }

  /** Whether a region may hold it: by trying once for each of its forms. */
  #supports(decoded: Decoded, long: boolean): boolean {
    const { instruction, operands, operandSize, repeat } = decoded;
    const memory = operands.some(({ kind }) => kind === 'memory');
    const form = operandSize | (memory ? 1 : 0) | (repeat === undefined ? 0 : 2) | (long ? 4 : 0);
    let forms = this.#supported.get(instruction);
    if (forms === undefined) this.#supported.set(instruction, forms = new Map<number, boolean>());
    let known = forms.get(form);
    if (known === undefined) forms.set(form, known = canWrite(decoded, long));
    return known;
  }

  /** Records of a page are stale, or all are: so are its regions, that no record leads to any more. */
  forget(page: number | undefined): void {
    for (const each of page === undefined ? [...this.#ofPage.keys()] : [page]) {
      const numbers = this.#ofPage.get(each);
      if (numbers === undefined) continue;
      for (const number of numbers) this.#handlers.install(number, undefined);
      this.#free = this.#free.concat(numbers);
      this.#ofPage.delete(each);
      if (page !== undefined) this.#forgotten.set(page, (this.#forgotten.get(page) ?? 0) + 1);
    }
    if (page === undefined) this.#met.clear();
  }
}

function canWrite(decoded: Decoded, long: boolean): boolean {
  try {
    new RegionBuilder(new RegionCode(1), new Imports(() => -1), long, 0).instruction({ offset: 0, decoded, next: decoded.length }, 0, 0);
    return true;
  } catch (error) {
    if (error instanceof Unsupported) return false;
    throw error;
  }
}
