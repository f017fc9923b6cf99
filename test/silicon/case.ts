import * as at from './layout.ts';
import { codeWindow, dataWindow, record, xsave } from './layout.ts';

/** Bytes that are put into the data window before the instruction runs. */
export interface Patch {
  /** In a page of any kind that is there: see {@link dataWindow}. */
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface Case {
  /** The instruction, or several. What lies beyond the code window is left out: fetching it faults. */
  readonly code: Uint8Array;
  /** Where its first byte is: anywhere in the code window. */
  readonly rip: number;
  /** 16 of them, in the order of their encoding. */
  readonly registers: BigUint64Array;
  /** What ring 3 may set with IRET; interrupts stay allowed, IOPL stays 0. With TF there is a #DB after the first instruction. */
  readonly rflags: number;
  /** Canonical; 0 when left out. */
  readonly fsBase?: bigint;
  readonly gsBase?: bigint;
  /** x87, MMX and SSE as FXSAVE64 writes them, 512 bytes; after FNINIT and with MXCSR 1F80h when left out. */
  readonly fx?: Uint8Array;
  /** Upper halves of the 16 YMM registers, 256 bytes; zeros when left out. */
  readonly ymm?: Uint8Array;
  readonly memory?: readonly Patch[];
  /**
   * Wanted for instructions that may jump to less than 5 bytes behind themselves: what follows the code is `int3`, which is slower than
   * the jump that follows it otherwise.
   */
  readonly branches?: boolean;
}

const codeEnd = codeWindow.address + codeWindow.pages * 4096;
const dataEnd = dataWindow.address + dataWindow.pages.length * 4096;
const jumpLength = 5;
/** The flags that IRET at ring 3 loads: CF PF AF ZF SF TF DF OF NT RF AC ID. */
const loadable = 0x254dd5;
const always = 0x202;

/** A case with everything left out that can be. */
const template = makeTemplate();
const none: readonly Patch[] = [];

/** Writes cases one behind the other, for one entry of the guest. */
export class CaseWriter {
  readonly #ram: Uint8Array;
  readonly #words: BigUint64Array;
  readonly #view: DataView;
  #end = at.cases - at.base;
  count = 0;

  constructor(ram: Uint8Array) {
    this.#ram = ram;
    this.#words = new BigUint64Array(ram.buffer, ram.byteOffset, ram.length / 8);
    this.#view = new DataView(ram.buffer, ram.byteOffset, ram.length);
  }

  /** @returns false when there is no room. @throws RangeError for a case that can't be */
  add(wanted: Case): boolean {
    const patches = wanted.memory ?? none;
    const most = patches.reduce((sum, { bytes }) => sum + bytes.length + 16, record.tail + wanted.code.length + 128);
    if (this.#end + most > at.casesEnd - at.base) {
      if (this.count === 0) throw new RangeError('a case is too large');
      return false;
    }
    this.#state(wanted);
    let end = this.#patch(this.#end + record.tail, wanted.rip, codeOf(wanted), codeWindow.address, codeEnd);
    for (const { address, bytes } of patches) end = this.#patch(end, address, bytes, dataWindow.address, dataEnd);
    end = (end + 63) & ~63;
    this.#view.setUint32(this.#end + record.size, end - this.#end, true);
    this.#view.setUint32(this.#end + record.count, patches.length + 1, true);
    this.#end = end;
    this.count++;
    return true;
  }

  #state({ registers, rip, rflags, fsBase, gsBase, fx, ymm }: Case): void {
    const view = this.#view;
    const base = this.#end;
    if (rip < codeWindow.address || rip >= codeEnd) throw new RangeError(`code at 0x${rip.toString(16)} is outside of the window`);
    if (registers.length !== 16) throw new RangeError('there are 16 general registers');
    this.#ram.set(template, base);
    this.#words.set(registers, (base + record.registers) / 8);
    view.setUint32(base + record.rip, rip, true);
    view.setUint32(base + record.rflags, (rflags & loadable) | always, true);
    view.setBigUint64(base + record.rsp, registers[4] as bigint, true);
    if (fsBase !== undefined) view.setBigUint64(base + record.fsBase, fsBase, true);
    if (gsBase !== undefined) view.setBigUint64(base + record.gsBase, gsBase, true);
    if (fx !== undefined) this.#image(fx, 512, 0);
    if (ymm !== undefined) this.#image(ymm, 256, xsave.ymm);
    if (view.getUint16(base + record.xsave + 26, true) !== 0) throw new RangeError('MXCSR has 16 bits');
  }

  #image(bytes: Uint8Array, length: number, offset: number): void {
    if (bytes.length !== length) throw new RangeError(`the image has ${length} bytes, not ${bytes.length}`);
    this.#ram.set(bytes, this.#end + record.xsave + offset);
  }

  /** @returns where the next one goes */
  #patch(where: number, address: number, bytes: Uint8Array, from: number, to: number): number {
    if (address < from || address + bytes.length > to) throw new RangeError(`${bytes.length} bytes at 0x${address.toString(16)} are outside of the window`);
    this.#view.setUint32(where, at.base + address, true);
    this.#view.setUint32(where + 4, bytes.length, true);
    this.#ram.set(bytes, where + 8);
    return (where + 8 + bytes.length + 7) & ~7;
  }
}

/** The code and what brings us back from it, as far as the window goes. */
function codeOf({ code, rip, branches = false }: Case): Uint8Array {
  const room = codeEnd - rip;
  if (branches || code.length + jumpLength > room) return code.subarray(0, room);
  const bytes = new Uint8Array(code.length + jumpLength);
  bytes.set(code);
  bytes[code.length] = 0xe9;
  new DataView(bytes.buffer).setInt32(code.length + 1, at.landing - (rip + bytes.length), true);
  return bytes;
}

function makeTemplate(): Uint8Array {
  const bytes = new Uint8Array(record.tail);
  const view = new DataView(bytes.buffer);
  view.setUint32(record.cs, at.userCode, true);
  view.setUint32(record.ss, at.userData, true);
  view.setUint16(record.xsave, 0x37f, true);
  view.setUint32(record.xsave + 24, 0x1f80, true);
  bytes[record.xsave + xsave.header] = 7;
  return bytes;
}
