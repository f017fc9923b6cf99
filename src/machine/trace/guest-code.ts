/** What a processor is about to run, read without its noticing: nothing is marked as accessed. Works in a browser: nothing of Node here. */

import type { CodeSize } from '../../cpu/decode.ts';
import { EFER_LMA, walk, Walk } from '../../cpu/paging.ts';
import { PhysicalMemory } from '../../cpu/physical.ts';
import { Registers, SEGMENT } from '../../cpu/registers.ts';
import type { GuestMemory } from '../../engine/memory.ts';

export interface GuestCode {
  /** Linear. */
  readonly address: bigint;
  readonly codeSize: CodeSize;
  /** Up to 15; fewer where no memory is behind them. */
  readonly bytes: Uint8Array;
}

const longest = 15;
const page = 4096n;

/** A walk marks what it uses; one that only looks on does not. */
class WatchedMemory extends PhysicalMemory {
  override write32(): void {
    // Nothing is marked.
  }
}

export class CodeReader {
  readonly #memory: GuestMemory;
  readonly #physical: WatchedMemory;
  readonly #registers: Registers;
  readonly #walk = new Walk();

  /** @param state of the processor, which is read anew each time */
  constructor(memory: GuestMemory, state: DataView) {
    this.#memory = memory;
    this.#physical = new WatchedMemory(memory.memory, memory.regions);
    this.#registers = new Registers(state);
  }

  /** At RIP. */
  read(): GuestCode {
    const registers = this.#registers;
    const attributes = registers.number('csAttributes');
    const isLong = (registers.number('efer') & EFER_LMA) !== 0 && (attributes & SEGMENT.long) !== 0;
    const rip = registers.wide('rip');
    const address = isLong ? rip : BigInt.asUintN(32, registers.wide('csBase') + rip);
    return { address, codeSize: isLong ? 64 : (attributes & SEGMENT.big) !== 0 ? 32 : 16, bytes: this.#bytes(address) };
  }

  #bytes(address: bigint): Uint8Array {
    const inPage = Number(page - (address % page));
    const first = this.#inPage(address, Math.min(longest, inPage));
    if (inPage >= longest || first.length === 0) return first;
    return Uint8Array.from([...first, ...this.#inPage(address + BigInt(inPage), longest - inPage)]);
  }

  #inPage(address: bigint, length: number): Uint8Array {
    const registers = this.#registers;
    const mode = { cr0: registers.number('cr0'), cr3: Number(registers.wide('cr3')), cr4: registers.number('cr4'), efer: registers.number('efer'), lifted: true };
    const [low, high] = [Number(BigInt.asUintN(32, address)), Number(BigInt.asUintN(32, address >> 32n))];
    if (!walk(this.#physical, mode, low, high, 0, this.#walk)) return new Uint8Array();
    try {
      return this.#memory.bytes(this.#walk.physical, length).slice();
    } catch (error) {
      if (error instanceof RangeError) return new Uint8Array();
      throw error;
    }
  }
}
