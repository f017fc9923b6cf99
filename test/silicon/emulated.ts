/** The same cases on the software processor, by emitted code or by the oracle's bigints: silicon's guest, with its page tables, seen from ring 3. */

import { Interpreter } from '../../src/cpu/interpreter/interpreter.ts';
import { RESERVED } from '../../src/cpu/layout.ts';
import { execute } from '../../src/cpu/oracle/oracle.ts';
import { cpuState } from '../../src/cpu/state.ts';
import { Fault, type Outside } from '../../src/cpu/system/processor.ts';
import { floatBytes } from '../support/float-module.ts';
import { backgroundByte, furnish } from './guest.ts';
import * as at from './layout.ts';
import type { Case, Change, Exception } from './silicon.ts';

/** What a case has come to, in the shape of the oracle's results. */
export interface Outcome {
  readonly outcome: 'done' | 'exception';
  readonly rip: bigint;
  readonly exception: Exception | undefined;
  readonly registers: BigUint64Array;
  readonly rflags: bigint;
  readonly fsBase: bigint;
  readonly gsBase: bigint;
  readonly fx: Uint8Array;
  readonly changes: readonly Change[];
}

/** Nothing is outside: the guest has neither ports nor devices, and CPUID says nothing. */
const outside: Outside = {
  readPort: () => 0xff, writePort: () => undefined, readMemory: () => 0xff, writeMemory: () => undefined, cpuid: () => [0, 0, 0, 0], timestamp: () => 0n,
  readMsr: () => undefined, writeMsr: () => false, taskPriority: 0,
};

const { offset: fxOffset } = cpuState.fields.fcw;
/** SSE, x87 exceptions and FXSAVE, XSAVE, FSGSBASE. */
const cr4 = 0x50620n;
const codeLength = at.codeWindow.pages * 4096;
const codeEnd = at.codeWindow.address + codeLength;
const dataLength = at.dataWindow.pages.length * 4096;
/** More than the elements of any repeated one. */
const mostSteps = 100;
const writablePages = at.dataWindow.pages.flatMap((access, page) => (access === 'writable' ? [page * 4096] : []));

/** Out of memory that is shared, without its slow slice. */
function copyOf(bytes: Uint8Array, from: number, length: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(length);
  copy.set(bytes.subarray(from, from + length));
  return copy;
}

/** A processor that is told every case anew; what a case has written is put right behind it. */
export class Emulated {
  readonly #cpu: Interpreter;
  readonly #ram: Uint8Array;
  /** All of the processor's state, and what it is before a case sets its own. */
  readonly #state: Uint8Array;
  readonly #start: Uint8Array;
  /** The data window, what should be there, and what is there when no case has put anything else. */
  readonly #data: Buffer;
  readonly #expected = Buffer.from(new ArrayBuffer(dataLength));
  readonly #background = Uint8Array.from({ length: dataLength }, (_, offset) => backgroundByte(at.dataWindow.address + offset));
  #exception: Exception | undefined;

  constructor() {
    const pages = (RESERVED + at.ramSize) / 65536;
    const limits = { initial: pages, maximum: pages, shared: true };
    const memory = new WebAssembly.Memory(limits);
    const regions = [{ guestAddress: 0, size: at.ramSize, offset: RESERVED, readOnly: false }];
    this.#ram = new Uint8Array(memory.buffer, RESERVED, at.ramSize);
    this.#data = Buffer.from(memory.buffer, RESERVED + at.dataWindow.address, dataLength);
    furnish(this.#ram);
    this.#expected.set(this.#background);
    this.#cpu = new Interpreter({ memory, limits, regions, outside, float: floatBytes, interrupts: undefined });
    this.#cpu.intercept = (vector, errorCode = 0) => {
      this.#exception = { vector, errorCode, cr2: this.#cpu.registers.wide('cr2') };
      return true;
    };
    const { state } = this.#cpu;
    this.#state = new Uint8Array(state.buffer, state.byteOffset, cpuState.size);
    this.#start = this.#ringThree();
  }

  /** @param how emitted code, a region of the instruction alone, or the meaning on bigints */
  run(wanted: Case, how: 'interpreter' | 'regions' | 'oracle'): Outcome {
    const { code, rip, memory = [] } = wanted;
    const bytes = code.subarray(0, codeEnd - rip);
    this.#placeCode(rip, bytes);
    for (const patch of memory) this.#placeData(patch.address, patch.bytes);
    this.#enter(wanted);
    this.#exception = undefined;
    if (how === 'regions') this.#cpu.translate('instruction');
    let steps = 0;
    // As often as it takes: of a repeated one each element is a step, and MMX's begin anew behind a change of x87's stack.
    do {
      if (how === 'oracle') this.#executeExactly(rip);
      else this.#cpu.step(how === 'interpreter');
    } while (++steps < mostSteps && this.#exception === undefined && this.#cpu.registers.wide('rip') === BigInt(rip));
    const outcome = this.#outcome();
    for (const { address, bytes: { length } } of memory) {
      const from = address - at.dataWindow.address;
      this.#placeData(address, this.#background.subarray(from, from + length));
    }
    // Not told: the next case tells of the lines that it uses, and nothing else is executed.
    this.#ram.fill(0xcc, rip, rip + bytes.length);
    return outcome;
  }

  #outcome(): Outcome {
    const { registers } = this.#cpu;
    return {
      outcome: this.#exception === undefined ? 'done' : 'exception',
      rip: registers.wide('rip'),
      exception: this.#exception,
      registers: new BigUint64Array(copyOf(this.#state, 0, 128).buffer),
      rflags: registers.wide('rflags'),
      fsBase: registers.wide('fsBase'),
      gsBase: registers.wide('gsBase'),
      fx: copyOf(this.#state, fxOffset, 512),
      changes: this.#takeChanges(),
    };
  }

  #executeExactly(rip: number): void {
    const cpu = this.#cpu;
    cpu.modeChanged();
    try {
      execute(cpu, this.#ram.subarray(rip, Math.min(rip + 15, codeEnd)), 64);
      // Silicon says at once that there is nothing where it went.
      const now = cpu.registers.wide('rip');
      if (now < BigInt(at.codeWindow.address) || now >= BigInt(codeEnd)) cpu.step();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#exception = { vector: error.vector, errorCode: error.errorCode ?? 0, cr2: cpu.registers.wide('cr2') };
    }
  }

  /** As the host writes to a guest's memory: decoded code is told. */
  #placeCode(address: number, bytes: Uint8Array): void {
    this.#cpu.written(address, bytes.length);
    this.#ram.set(bytes, address);
  }

  /** Nothing of it is ever decoded: its pages are not to be executed. */
  #placeData(address: number, bytes: Uint8Array): void {
    this.#data.set(bytes, address - at.dataWindow.address);
    this.#expected.set(bytes, address - at.dataWindow.address);
  }

  /** The state that silicon's driver gives a case that says nothing. */
  #ringThree(): Uint8Array {
    const { registers } = this.#cpu;
    registers.setWide('cr0', 0x80010033n);
    registers.setWide('cr3', BigInt(at.pml4));
    registers.setWide('cr4', cr4);
    registers.setWide('efer', 0xd01n);
    registers.setWide('xcr0', 7n);
    registers.setSegment('cs', { selector: at.userCode, base: 0n, limit: 0xffffffff, attributes: 0xa0fb });
    for (const name of ['ss', 'ds', 'es', 'fs', 'gs'] as const) {
      registers.setSegment(name, { selector: at.userData, base: 0n, limit: 0xffffffff, attributes: 0xc0f3 });
    }
    registers.setNumber('fcw', 0x37f);
    registers.setNumber('mxcsr', 0x1f80);
    return this.#state.slice();
  }

  #enter({ rip, rflags, fsBase = 0n, gsBase = 0n, registers: general, fx }: Case): void {
    const { registers } = this.#cpu;
    this.#state.set(this.#start);
    this.#state.set(new Uint8Array(general.buffer, general.byteOffset, 128));
    registers.setWide('fsBase', fsBase);
    registers.setWide('gsBase', gsBase);
    registers.setWide('rip', BigInt(rip));
    registers.setWide('rflags', BigInt((rflags & 0x254dd5) | 0x202));
    if (fx) this.#state.set(fx.subarray(0, 416), fxOffset);
  }

  /** What differs in memory from what the case found there, in the order of the addresses; it is put right. */
  #takeChanges(): Change[] {
    return writablePages.flatMap((from) => {
      const [page, expected] = [this.#data.subarray(from, from + 4096), this.#expected.subarray(from, from + 4096)];
      return page.equals(expected) ? [] : this.#takePage(at.dataWindow.address + from, page, expected);
    });
  }

  #takePage(address: number, page: Buffer, expected: Buffer): Change[] {
    const found: Change[] = [];
    const [now, before] = [page, expected].map(({ buffer, byteOffset }) => new Int32Array(buffer, byteOffset, 1024)) as [Int32Array, Int32Array];
    for (let word = 0; word < 1024; word += 2) {
      if (now[word] !== before[word] || now[word + 1] !== before[word + 1]) found.push({ address: address + 4 * word, value: page.readBigUInt64LE(4 * word) });
    }
    page.set(expected);
    return found;
  }
}
