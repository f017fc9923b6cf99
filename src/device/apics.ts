/** All local APICs of a machine: the page and the MSRs through which their processors see them, and the messages between them. */

import { LocalApic } from './apic.ts';
import { BROADCAST, FIXED, INIT, LOWEST_PRIORITY, type ApicMessages, type ProcessorSignals } from './apic-message.ts';
import {
  DFR, DIVIDE, EOI, ERROR_REGISTER, ERROR_SEND_VECTOR, ESR, ICR, ICR_HIGH, INITIAL_COUNT, LVT, LVT_WRITABLE, SELF_IPI, SVR, SVR_WRITABLE, TPR,
} from './apic-registers.ts';
import type { TimeStampCounter } from './apic-timer.ts';
import type { Clock } from './clock.ts';
import type { AccessSize, Device } from './device.ts';

/** A model-specific register's halves. */
export interface MsrValue {
  low: number;
  high: number;
}

/** @param external whether the 8259s have told the vector */
export type InterruptTrace = (cpu: number, vector: number, external: boolean) => void;

export interface LocalApicsOptions {
  readonly cpus: number;
  readonly clock: Clock;
  readonly tsc: TimeStampCounter;
  readonly signals: ProcessorSignals;
  /** The acknowledge cycle of the 8259s. */
  readonly acknowledgeExternal: () => number;
  /** A level-triggered interrupt has ended: the IOAPIC's. */
  readonly ended: (vector: number) => void;
}

const APIC_BASE = 0x1b;
const TSC_DEADLINE = 0x6e0;
const X2APIC_FIRST = 0x800;
const X2APIC_LAST = 0x8ff;

const LEVEL_ASSERT = 1 << 14;
const TRIGGER_LEVEL = 1 << 15;
const LOGICAL = 1 << 11;
const SELF = 1;
const ALL = 2;
const ALL_BUT_SELF = 3;

/** What a register may be written to by WRMSR without #GP; a register that is not here is read only, or not there. */
const x2Writable: ReadonlyMap<number, number> = new Map([
  [TPR, 0xff], [EOI, 0], [SVR, SVR_WRITABLE], [ESR, 0], [INITIAL_COUNT, 0xffffffff], [DIVIDE, 0xb], [SELF_IPI, 0xff],
  ...LVT_WRITABLE.map((bits, at) => [LVT + 16 * at, bits | 0x5000] as const),
]);

export class LocalApics implements Device, ApicMessages {
  readonly name = 'apic';
  readonly width = 4;
  readonly apics: readonly LocalApic[];
  /** The processor that runs: whose registers the page shows. Who runs a processor sets it before. */
  running = 0;
  /** Sees every maskable interrupt that a processor takes. */
  trace: InterruptTrace | undefined = undefined;
  readonly #acknowledgeExternal: () => number;

  constructor({ cpus, acknowledgeExternal, ...options }: LocalApicsOptions) {
    this.#acknowledgeExternal = acknowledgeExternal;
    const sendIpi = (sender: LocalApic, low: number, destination: number): void => this.#sendIpi(sender, low, destination);
    this.apics = Array.from({ length: cpus }, (_, cpu) => new LocalApic({ ...options, cpu, sendIpi }));
  }

  /** Whether a maskable interrupt is waiting for a processor. */
  pending(cpu: number): boolean {
    return this.#apic(cpu).pending;
  }

  acknowledge(cpu: number): number {
    const own = this.#apic(cpu).acknowledge();
    const vector = own < 0 ? this.#acknowledgeExternal() : own;
    if (this.trace !== undefined) this.trace(cpu, vector, own < 0);
    return vector;
  }

  /** The INT pin of the 8259s, which goes to LINT0 of all. */
  setExternal(up: boolean): void {
    for (const apic of this.apics) apic.setPin(0, up);
  }

  /** The NMI line, which goes to LINT1 of all. */
  setNmi(up: boolean): void {
    for (const apic of this.apics) apic.setPin(1, up);
  }

  send(destination: number, logical: boolean, mode: number, vector: number, level: boolean): void {
    this.#deliver(destination === 0xff && !logical ? BROADCAST : destination, logical, mode, vector, level, undefined);
  }

  /** The page. Registers are 32 bits at each 16 bytes; the bytes between them are nothing. */
  read(offset: number, size: AccessSize): number {
    const apic = this.#apic(this.running);
    if (!apic.mapped) return 0xffffffff;
    if ((offset & 12) !== 0) return 0;
    const value = apic.read(offset & ~15);
    if (value === undefined) apic.error(ERROR_REGISTER);
    const bytes = (value ?? 0) >>> (8 * (offset & 3));
    return size === 4 ? bytes : bytes & (2 ** (8 * size) - 1);
  }

  write(offset: number, size: AccessSize, value: number): void {
    const apic = this.#apic(this.running);
    if (!apic.mapped || size !== 4 || (offset & 12) !== 0) return;
    if (!apic.write(offset, value)) apic.error(ERROR_REGISTER);
  }

  /**
   * Reads IA32_APIC_BASE, IA32_TSC_DEADLINE or an MSR of the x2APIC.
   * @param value is given the halves
   * @returns false: #GP
   */
  readMsr(cpu: number, msr: number, value: MsrValue): boolean {
    const apic = this.#apic(cpu);
    value.high = 0;
    if (msr === APIC_BASE) {
      value.low = apic.base;
      return true;
    }
    if (msr === TSC_DEADLINE) {
      [value.low, value.high] = apic.deadline;
      return true;
    }
    const offset = (msr - X2APIC_FIRST) << 4;
    const hidden = offset === DFR || offset === ICR_HIGH || offset === EOI;
    const found = apic.x2apic && !hidden && msr >= X2APIC_FIRST && msr <= X2APIC_LAST ? apic.read(offset) : undefined;
    if (found === undefined) return false;
    value.low = found;
    if (offset === ICR) value.high = apic.read(ICR_HIGH) ?? 0;
    return true;
  }

  /** Writes one of the MSRs of {@link readMsr}. @returns false: #GP */
  writeMsr(cpu: number, msr: number, low: number, high: number): boolean {
    const apic = this.#apic(cpu);
    if (msr === APIC_BASE) return high === 0 && apic.setBase(low);
    if (msr === TSC_DEADLINE) {
      apic.setDeadline(low, high);
      return true;
    }
    if (!apic.x2apic || msr < X2APIC_FIRST || msr > X2APIC_LAST) return false;
    return this.#writeX2(apic, (msr - X2APIC_FIRST) << 4, low, high);
  }

  #writeX2(apic: LocalApic, offset: number, low: number, high: number): boolean {
    if (offset === ICR) {
      if ((low & ~0xccfff) !== 0) return false;
      apic.write(ICR_HIGH, high);
      return apic.write(ICR, low);
    }
    const writable = x2Writable.get(offset);
    if (writable === undefined || high !== 0 || (low & ~writable) !== 0) return false;
    if (offset !== SELF_IPI) return apic.write(offset, low);
    this.#sendIpi(apic, (SELF << 18) | low, 0);
    return true;
  }

  #apic(cpu: number): LocalApic {
    return this.apics[cpu] as LocalApic;
  }

  /** Section "Interrupt Command Register". The INIT that is de-asserted is nothing since the Pentium 4. */
  #sendIpi(sender: LocalApic, low: number, destination: number): void {
    const mode = (low >> 8) & 7;
    const vector = low & 0xff;
    if (mode === INIT && (low & (LEVEL_ASSERT | TRIGGER_LEVEL)) === TRIGGER_LEVEL) return;
    if ((mode === FIXED || mode === LOWEST_PRIORITY) && vector < 16) return sender.error(ERROR_SEND_VECTOR);
    const shorthand = (low >> 18) & 3;
    if (shorthand === SELF) return sender.receive(mode, vector, false);
    const logical = (low & LOGICAL) !== 0;
    const all = shorthand === ALL || shorthand === ALL_BUT_SELF || (!logical && !sender.x2apic && destination === 0xff);
    return this.#deliver(all ? BROADCAST : destination, logical && !all, mode, vector, false, shorthand === ALL_BUT_SELF ? sender : undefined);
  }

  #deliver(destination: number, logical: boolean, mode: number, vector: number, level: boolean, except: LocalApic | undefined): void {
    let lowest: LocalApic | undefined;
    for (const apic of this.apics) {
      if (apic === except || !apic.matches(destination, logical)) continue;
      if (mode !== LOWEST_PRIORITY) apic.receive(mode, vector, level);
      else if (apic.enabled && (lowest === undefined || apic.priority < lowest.priority)) lowest = apic;
    }
    lowest?.receive(FIXED, vector, level);
  }
}
