/** The cpu_internal beside a processor's state, member by member, and the count of instructions that is kept there. */

import { INTERNAL, internal, RECORD, RECORD_SIZE } from '../layout.ts';

export type InternalName = keyof typeof internal.fields;

/** Of the loop, at once. */
export const mostFuel = 0x7fffffff;

export class Internal {
  readonly #memory: DataView;
  readonly #view: DataView;
  /** Instructions until the loop got its fuel, and how much that was. */
  #done = 0;
  #filled = 0;

  /** @param memory the whole WebAssembly.Memory */
  constructor(memory: DataView) {
    this.#memory = memory;
    this.#view = new DataView(memory.buffer, INTERNAL, internal.size);
  }

  number(name: InternalName): number {
    return this.#view.getUint32(internal.fields[name].offset, true);
  }

  setNumber(name: InternalName, value: number): void {
    this.#view.setUint32(internal.fields[name].offset, value, true);
  }

  setWide(name: InternalName, value: bigint): void {
    this.#view.setBigUint64(internal.fields[name].offset, value, true);
  }

  setByte(name: InternalName, value: number): void {
    this.#view.setUint8(internal.fields[name].offset, value);
  }

  /** Where the instruction of a record of the present page is. */
  ripOf(record: number): bigint {
    const base = this.#view.getBigUint64(internal.fields.pageBase.offset, true);
    return BigInt.asUintN(64, base + BigInt(this.#memory.getUint16(record + RECORD.offset, true)));
  }

  /** Instructions of the present block before a record. */
  before(record: number): number {
    return (record - this.number('blockStart')) / RECORD_SIZE;
  }

  /** Instructions that have been executed. */
  get instructions(): number {
    return this.#done + this.#filled - this.fuel;
  }

  get fuel(): number {
    return this.number('fuel') | 0;
  }

  count(instructions: number): void {
    this.setNumber('fuel', this.fuel - instructions);
  }

  refuel(instructions: number): void {
    this.#done = this.instructions;
    this.#filled = Math.min(instructions, mostFuel);
    this.setNumber('fuel', this.#filled);
    this.setNumber('floor', 0);
  }

  /** The loop is to be left at the end of the block that runs. */
  leaveSoon(): void {
    this.setNumber('floor', mostFuel);
  }

  get leaving(): boolean {
    return this.fuel <= (this.number('floor') | 0);
  }
}
