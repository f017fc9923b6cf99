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

const fxOffset = cpuState.fields.fcw.offset;
/** SSE, x87 exceptions and FXSAVE, XSAVE, FSGSBASE. */
const cr4 = 0x50620n;
const codeLength = at.codeWindow.pages * 4096;
const dataLength = at.dataWindow.pages.length * 4096;

export class Emulated {
  readonly #cpu: Interpreter;
  readonly #ram: Uint8Array;
  readonly #view: DataView;
  readonly #background: Uint8Array;
  #exception: Exception | undefined;

  constructor() {
    const pages = (RESERVED + at.ramSize) / 65536;
    const limits = { initial: pages, maximum: pages, shared: true };
    const memory = new WebAssembly.Memory(limits);
    const regions = [{ guestAddress: 0, size: at.ramSize, offset: RESERVED, readOnly: false }];
    this.#ram = new Uint8Array(memory.buffer, RESERVED, at.ramSize);
    this.#view = new DataView(memory.buffer, RESERVED, at.ramSize);
    furnish(this.#ram);
    this.#background = Uint8Array.from({ length: dataLength }, (_, offset) => backgroundByte(at.dataWindow.address + offset));
    this.#cpu = new Interpreter({ memory, limits, regions, outside, float: floatBytes, interrupts: undefined });
    this.#cpu.intercept = (vector, errorCode = 0) => {
      this.#exception = { vector, errorCode, cr2: this.#cpu.registers.wide('cr2') };
      return true;
    };
  }

  /** @param how emitted code, or the meaning on bigints */
  run(wanted: Case, how: 'interpreter' | 'oracle'): Outcome {
    const cpu = this.#cpu;
    const { registers } = cpu;
    this.#place(at.codeWindow.address, new Uint8Array(codeLength).fill(0xcc, 0), 0);
    this.#place(at.dataWindow.address, this.#background, 0);
    for (const { address, bytes } of wanted.memory ?? []) this.#place(address, bytes, 0);
    const before = this.#ram.slice(at.dataWindow.address, at.dataWindow.address + dataLength);
    this.#place(wanted.rip, wanted.code.subarray(0, at.codeWindow.address + codeLength - wanted.rip), 0);
    this.#enter(wanted);
    this.#exception = undefined;
    if (how === 'interpreter') cpu.step();
    else this.#executeExactly(wanted);
    return {
      outcome: this.#exception === undefined ? 'done' : 'exception',
      rip: registers.wide('rip'),
      exception: this.#exception,
      registers: BigUint64Array.from({ length: 16 }, (_, number) => registers.general(number)),
      rflags: registers.wide('rflags'),
      fsBase: registers.wide('fsBase'),
      gsBase: registers.wide('gsBase'),
      fx: new Uint8Array(cpu.state.buffer, cpu.state.byteOffset + fxOffset, 512).slice(),
      changes: this.#changes(before),
    };
  }

  #executeExactly({ rip }: Case): void {
    const cpu = this.#cpu;
    cpu.modeChanged();
    const end = Math.min(rip + 15, at.codeWindow.address + codeLength);
    try {
      execute(cpu, this.#ram.subarray(rip, end), 64);
      // Silicon says at once that there is nothing where it went.
      const now = cpu.registers.wide('rip');
      if (now < BigInt(at.codeWindow.address) || now >= BigInt(at.codeWindow.address + codeLength)) cpu.step();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#exception = { vector: error.vector, errorCode: error.errorCode ?? 0, cr2: cpu.registers.wide('cr2') };
    }
  }

  /** As the host writes to a guest's memory: decoded code is told. */
  #place(address: number, bytes: Uint8Array, offset: number): void {
    this.#cpu.written(address, bytes.length - offset);
    this.#ram.set(bytes, address);
  }

  #enter(wanted: Case): void {
    const { registers } = this.#cpu;
    new Uint8Array(this.#cpu.state.buffer, this.#cpu.state.byteOffset, cpuState.size).fill(0);
    registers.setWide('cr0', 0x80010033n);
    registers.setWide('cr3', BigInt(at.pml4));
    registers.setWide('cr4', cr4);
    registers.setWide('efer', 0xd01n);
    registers.setWide('xcr0', 7n);
    registers.setSegment('cs', { selector: at.userCode, base: 0n, limit: 0xffffffff, attributes: 0xa0fb });
    for (const name of ['ss', 'ds', 'es', 'fs', 'gs'] as const) {
      registers.setSegment(name, { selector: at.userData, base: 0n, limit: 0xffffffff, attributes: 0xc0f3 });
    }
    registers.setWide('fsBase', wanted.fsBase ?? 0n);
    registers.setWide('gsBase', wanted.gsBase ?? 0n);
    wanted.registers.forEach((value, number) => registers.setGeneral(number, value));
    registers.setWide('rip', BigInt(wanted.rip));
    registers.setWide('rflags', BigInt((wanted.rflags & 0x254dd5) | 0x202));
    const fx = new Uint8Array(this.#cpu.state.buffer, this.#cpu.state.byteOffset + fxOffset, 512);
    if (wanted.fx) fx.set(wanted.fx.subarray(0, 416));
    else {
      registers.setNumber('fcw', 0x37f);
      registers.setNumber('mxcsr', 0x1f80);
    }
  }

  #changes(before: Uint8Array): Change[] {
    const found: Change[] = [];
    const old = new DataView(before.buffer);
    for (let offset = 0; offset < dataLength; offset += 8) {
      const value = this.#view.getBigUint64(at.dataWindow.address + offset, true);
      if (value !== old.getBigUint64(offset, true)) found.push({ address: at.dataWindow.address + offset, value });
    }
    return found;
  }
}
