/** From RIP to the record of the instruction there. */

import type { CodeSize } from '../decode.ts';
import { RECORD, USER_TAG } from '../layout.ts';
import { FETCH, USER } from '../paging.ts';
import type { PhysicalMemory } from '../physical.ts';
import type { Place } from '../region/regions.ts';
import type { Registers } from '../registers.ts';
import { GP, UD } from '../system/processor.ts';
import type { CodeCache } from './code-cache.ts';
import type { Internal } from './internal.ts';
import type { Translation } from './translation.ts';

const pageSize = 4096;
const longest = 15;

/** What is fetched for, as it is now. */
export interface FetchOwner {
  readonly registers: Registers;
  readonly long: boolean;
  readonly user: boolean;
  readonly codeSize: CodeSize;
  /** A fault that the loop is left for. */
  tell(vector: number, errorCode: number): void;
}

export class Fetch {
  readonly #view: DataView;
  readonly #internal: Internal;
  readonly #physical: PhysicalMemory;
  readonly #translation: Translation;
  readonly #cache: CodeCache;
  readonly #owner: FetchOwner;

  /** @param memory the whole WebAssembly.Memory */
  constructor(memory: DataView, internal: Internal, physical: PhysicalMemory, translation: Translation, cache: CodeCache, owner: FetchOwner) {
    this.#view = memory;
    this.#internal = internal;
    this.#physical = physical;
    this.#translation = translation;
    this.#cache = cache;
    this.#owner = owner;
  }

  /** Where an instruction is in linear memory. */
  linear(rip: bigint): bigint {
    return this.#owner.long ? rip : BigInt.asUintN(32, this.#owner.registers.wide('csBase') + rip);
  }

  /** Where the instruction at RIP is, of which there is a record; undefined when it is in no memory any more. */
  place(rip: bigint): Place | undefined {
    const physical = this.#translate(this.linear(rip));
    const offset = physical % pageSize;
    const host = physical < 0 ? -1 : this.#physical.host(physical - offset);
    return host < 0 ? undefined : { page: Math.floor(physical / pageSize), host, offset, size: this.#owner.codeSize };
  }

  /** The record of the instruction at RIP; 0 when fetching it faults, and then RIP is there already. */
  resolve(rip: bigint): number {
    const { long, registers, user, codeSize } = this.#owner;
    if (!long && rip > BigInt(registers.number('csLimit'))) {
      this.#owner.tell(GP, 0);
      return this.#failed(rip);
    }
    const linear = this.linear(rip);
    const [low, high] = [Number(BigInt.asUintN(32, linear)), Number(linear >> 32n)];
    const physical = this.#translate(linear);
    if (physical < 0) return this.#failed(rip);
    const offset = low % pageSize;
    const host = this.#physical.host(physical - offset);
    if (host < 0) return this.#notMemory(rip);
    const { table, record } = this.#cache.find(Math.floor(physical / pageSize), host, offset, codeSize);
    this.#cache.remember(low, high, user ? USER_TAG : 0, table, this.#translation.global);
    this.#internal.setWide('pageBase', BigInt.asUintN(64, rip - BigInt(offset)));
    return this.#found(record);
  }

  /** An instruction that begins where a record stands for it, and goes on in the next page, wherever that is. */
  straddle(placeholder: number): number {
    const offset = this.#view.getUint16(placeholder + RECORD.offset, true);
    const inFirst = pageSize - offset;
    const rip = this.#internal.ripOf(placeholder);
    this.#internal.count(this.#internal.before(placeholder));
    const linear = this.linear(rip);
    const first = this.#translate(linear);
    const second = first < 0 ? -1 : this.#translate(linear + BigInt(inFirst));
    if (second < 0) return this.#failed(rip);
    const [here, there] = [this.#physical.host(first), this.#physical.host(second)];
    if (here < 0 || there < 0) return this.#notMemory(rip);
    const bytes = Uint8Array.from({ length: longest }, (_, at) => this.#view.getUint8(at < inFirst ? here + at : there + at - inFirst));
    return this.#found(this.#cache.straddling(Math.floor(first / pageSize), Math.floor(second / pageSize), offset, bytes, this.#owner.codeSize));
  }

  /** The physical address, or -1 after a fault has been told. */
  #translate(linear: bigint): number {
    return this.#translation.translate(Number(BigInt.asUintN(32, linear)), Number(BigInt.asUintN(32, linear >> 32n)), this.#owner.user ? FETCH | USER : FETCH);
  }

  #found(record: number): number {
    this.#internal.setNumber('blockStart', record);
    // The cache is cleared between two runs; until then there is room.
    if (this.#cache.full) this.#internal.leaveSoon();
    return record;
  }

  /** Code in a device's registers: nothing sensible is there, and real hardware would read ones. */
  #notMemory(rip: bigint): number {
    this.#owner.tell(UD, 0);
    return this.#failed(rip);
  }

  #failed(rip: bigint): number {
    this.#owner.registers.setWide('rip', rip);
    this.#internal.setNumber('record', 0);
    return 0;
  }
}
