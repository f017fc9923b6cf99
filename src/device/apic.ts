/** One processor's local APIC: what it accepts, in which order its processor gets it, and its registers. SDM volume 3, chapter "APIC". */

import { record } from '../lib/record.ts';
import { EXT_INT, FIXED, INIT, LOWEST_PRIORITY, NMI, SMI, START_UP, type ProcessorSignals } from './apic-message.ts';
import { allowsBase, isDestination, logicalId } from './apic-mode.ts';
import * as registers from './apic-registers.ts';
import { ApicTimer, type TimeStampCounter } from './apic-timer.ts';
import type { Clock } from './clock.ts';
import type { Stateful } from './device.ts';

export interface LocalApicOptions {
  readonly cpu: number;
  readonly clock: Clock;
  readonly tsc: TimeStampCounter;
  readonly signals: ProcessorSignals;
  /** Sends what was written to the ICR. @param destination 32 bits, as they were written */
  readonly sendIpi: (sender: LocalApic, low: number, destination: number) => void;
  /** A level-triggered interrupt has ended: told to the IOAPICs. */
  readonly ended: (vector: number) => void;
}

export class LocalApic implements Stateful {
  readonly name: string;
  readonly cpu: number;
  readonly state = new Uint8Array(registers.apicLayout.size);
  readonly #registers = record(registers.apicLayout, this.state);
  readonly #options: LocalApicOptions;
  readonly #timer: ApicTimer;
  /** The vector that the processor would get now, or -1. Follows from the registers. */
  #deliverable = -1;

  constructor(options: LocalApicOptions) {
    this.#options = options;
    this.cpu = options.cpu;
    this.name = `apic${options.cpu}`;
    this.#timer = new ApicTimer(this.#registers, options.clock, options.tsc, options.cpu, () => this.#local(registers.LVT_TIMER));
    this.#registers.id = options.cpu;
    this.#registers.base = registers.APIC_ADDRESS | registers.BASE_ENABLED | (options.cpu === 0 ? registers.BASE_BSP : 0);
    this.#reset();
    // A BIOS leaves the first processor so that the 8259s reach it ("Virtual wire mode", MultiProcessor Specification 3.6.2.2).
    if (options.cpu === 0) this.#registers.lvt.set([EXT_INT << 8, NMI << 8], registers.LVT_LINT0);
  }

  /** Whether a maskable interrupt is waiting: of its own, or of the 8259s through LINT0. */
  get pending(): boolean {
    return this.#deliverable >= 0 || this.#externalPending();
  }

  /** The vector that is taken now; -1 when it is the 8259s' turn to tell it. */
  acknowledge(): number {
    const vector = this.#deliverable;
    if (vector < 0) return this.#externalPending() ? -1 : this.#registers.svr & 0xff;
    registers.put(this.#registers.irr, vector, false);
    registers.put(this.#registers.isr, vector, true);
    this.#settle();
    return vector;
  }

  get x2apic(): boolean {
    return (this.#registers.base & registers.BASE_X2APIC) !== 0;
  }

  /** Whether its page is there: enabled, and not in x2APIC mode. */
  get mapped(): boolean {
    return (this.#registers.base & (registers.BASE_ENABLED | registers.BASE_X2APIC)) === registers.BASE_ENABLED;
  }

  /** Whether it takes maskable interrupts. */
  get enabled(): boolean {
    return (this.#registers.svr & registers.SVR_ENABLED) !== 0 && (this.#registers.base & registers.BASE_ENABLED) !== 0;
  }

  get base(): number {
    return this.#registers.base;
  }

  /** Processor priority: section "Task and Processor Priorities". */
  get priority(): number {
    const { tpr, isr } = this.#registers;
    const serving = registers.highest(isr) & 0xf0;
    return registers.highest(isr) >= 0 && serving > (tpr & 0xf0) ? serving : tpr;
  }

  /** Writes IA32_APIC_BASE. False for a state or an address that there is no way to (section "x2APIC State Transitions"): #GP. */
  setBase(value: number): boolean {
    const { base } = this.#registers;
    const flags = registers.BASE_ENABLED | registers.BASE_X2APIC;
    const [before, after] = [base & flags, value & flags];
    if (!allowsBase(before, value)) return false;
    if (after === 0 && before !== 0) this.#reset();
    this.#registers.base = ((base & registers.BASE_BSP) | registers.APIC_ADDRESS | after) >>> 0;
    if (after === flags && before !== flags) this.#registers.ldr = logicalId(this.#registers.id);
    this.#settle();
    return true;
  }

  /** Whether a message is for this processor. @param destination physical ones of 32 bits; all ones are all */
  matches(destination: number, logical: boolean): boolean {
    return (this.#registers.base & registers.BASE_ENABLED) !== 0 && isDestination(this.#registers, destination, logical);
  }

  /** A message that is for this processor. Section "Interrupt Acceptance for Fixed Interrupts". */
  receive(mode: number, vector: number, level: boolean): void {
    const { signals } = this.#options;
    if (mode === FIXED || mode === LOWEST_PRIORITY) this.#accept(vector, level);
    else if (mode === NMI) signals.nmi(this.cpu);
    else if (mode === SMI) signals.smi(this.cpu);
    else if (mode === START_UP) signals.startUp(this.cpu, vector);
    else if (mode === INIT) this.#initialise();
  }

  /** A pin: LINT0 is the 8259s' INT, LINT1 is NMI. */
  setPin(pin: 0 | 1, up: boolean): void {
    const { lint } = this.#registers;
    if ((lint[pin] !== 0) === up) return;
    lint[pin] = up ? 1 : 0;
    const entry = this.#registers.lvt[registers.LVT_LINT0 + pin] as number;
    const external = ((entry >> 8) & 7) === EXT_INT || (this.#registers.base & registers.BASE_ENABLED) === 0;
    if (!up) return;
    if (!external) this.#local(registers.LVT_LINT0 + pin);
    else if (this.#externalPending()) this.#options.signals.wake(this.cpu);
  }

  /** The task priority's class: CR8 of the processor. */
  get taskPriority(): number {
    return this.#registers.tpr >> 4;
  }

  set taskPriority(cr8: number) {
    this.#registers.tpr = (cr8 & 15) << 4;
    this.#settle();
  }

  /** IA32_TSC_DEADLINE: its halves. */
  get deadline(): readonly [low: number, high: number] {
    return [this.#registers.deadlineLow, this.#registers.deadlineHigh];
  }

  setDeadline(low: number, high: number): void {
    this.#timer.setDeadline(low, high);
  }

  restored(): void {
    this.#timer.restored();
    this.#settle();
  }

  /** A register by its offset; undefined when there is none. */
  read(offset: number): number | undefined {
    const bank = registers;
    const own = this.#registers;
    if (offset >= bank.ISR && offset < bank.ESR) return this.#bits(offset)[(offset >> 4) & 7];
    if (offset >= bank.LVT && offset < bank.INITIAL_COUNT) return own.lvt[(offset - bank.LVT) >> 4];
    switch (offset) {
      case bank.ID: return this.x2apic ? own.id : (own.id << 24) >>> 0;
      case bank.VERSION: return bank.VERSION_VALUE;
      case bank.TPR: return own.tpr;
      case bank.APR: case bank.PPR: return this.priority;
      case bank.EOI: case bank.RRD: return 0;
      case bank.LDR: return own.ldr;
      case bank.DFR: return own.dfr;
      case bank.SVR: return own.svr;
      case bank.ESR: return own.esr;
      case bank.ICR: return own.icrLow;
      case bank.ICR_HIGH: return own.icrHigh;
      case bank.INITIAL_COUNT: return own.initialCount;
      case bank.CURRENT_COUNT: return this.#timer.current();
      case bank.DIVIDE: return own.divide;
      default: return undefined;
    }
  }

  /** Writes a register. What can't be written is kept as it is; false when there is none. */
  write(offset: number, value: number): boolean {
    const bank = registers;
    const own = this.#registers;
    if (offset >= bank.LVT && offset < bank.INITIAL_COUNT) return this.#setLvt((offset - bank.LVT) >> 4, value);
    switch (offset) {
      case bank.TPR: own.tpr = value & 0xff; break;
      case bank.EOI: return this.#endOfInterrupt();
      case bank.LDR: own.ldr = value & 0xff000000; return true;
      case bank.DFR: own.dfr = (value | 0x0fffffff) >>> 0; return true;
      case bank.SVR: this.#setSvr(value); break;
      case bank.ESR:
        own.esr = own.errors;
        own.errors = 0;
        return true;
      case bank.ICR: return this.#command(value);
      case bank.ICR_HIGH: own.icrHigh = value; return true;
      case bank.INITIAL_COUNT: this.#timer.start(value); return true;
      case bank.DIVIDE: this.#timer.setDivide(value); return true;
      default: return this.read(offset) !== undefined;
    }
    this.#settle();
    return true;
  }

  /** Section "Error Handling": errors are gathered until the ESR is written, and told by the LVT's interrupt. */
  error(bit: number): void {
    const own = this.#registers;
    if ((own.errors & bit) !== 0) return;
    own.errors |= bit;
    this.#local(registers.LVT_ERROR);
  }

  /** Section "Local APIC State After It Has Been Power-Up Reset"; ID and base stay. */
  #reset(): void {
    const own = this.#registers;
    own.tpr = own.ldr = own.esr = own.errors = own.icrLow = own.icrHigh = own.initialCount = own.divide = 0;
    own.deadlineLow = own.deadlineHigh = 0;
    own.dfr = registers.DFR_FLAT;
    own.svr = 0xff;
    own.lvt.fill(registers.LVT_MASKED);
    for (const bits of [own.isr, own.tmr, own.irr]) bits.fill(0);
    own.timerDeadline = Infinity;
    this.#timer.arm();
    this.#settle();
  }

  #initialise(): void {
    this.#reset();
    if (this.x2apic) this.#registers.ldr = logicalId(this.#registers.id);
    this.#options.signals.init(this.cpu);
  }

  #bits(offset: number): Uint32Array {
    const { isr, tmr, irr } = this.#registers;
    if (offset < registers.TMR) return isr;
    return offset < registers.IRR ? tmr : irr;
  }

  #accept(vector: number, level: boolean): void {
    if (!this.enabled) return;
    if (vector < 16) return this.error(registers.ERROR_RECEIVE_VECTOR);
    registers.put(this.#registers.irr, vector, true);
    registers.put(this.#registers.tmr, vector, level);
    this.#settle();
    return undefined;
  }

  /** An interrupt of the local vector table. */
  #local(index: number): void {
    const entry = this.#registers.lvt[index] as number;
    if ((entry & registers.LVT_MASKED) !== 0) return;
    const mode = index === registers.LVT_TIMER || index === registers.LVT_ERROR ? FIXED : (entry >> 8) & 7;
    this.receive(mode, entry & 0xff, false);
  }

  /** Whether the 8259s' interrupt reaches the processor: the pin as it is, while the APIC is off. */
  #externalPending(): boolean {
    const { lint, lvt, base } = this.#registers;
    if (lint[0] === 0) return false;
    const entry = lvt[registers.LVT_LINT0] as number;
    return (base & registers.BASE_ENABLED) === 0 ? this.cpu === 0 : (entry & (registers.LVT_MASKED | 0x700)) === EXT_INT << 8;
  }

  #endOfInterrupt(): boolean {
    const { isr, tmr } = this.#registers;
    const vector = registers.highest(isr);
    if (vector < 0) return true;
    registers.put(isr, vector, false);
    this.#settle();
    if (registers.has(tmr, vector)) this.#options.ended(vector);
    return true;
  }

  /** Off, every entry of the LVT is masked and stays so. */
  #setSvr(value: number): void {
    const own = this.#registers;
    own.svr = value & registers.SVR_WRITABLE;
    if ((value & registers.SVR_ENABLED) === 0) own.lvt.forEach((entry, at) => void (own.lvt[at] = entry | registers.LVT_MASKED));
  }

  #setLvt(index: number, value: number): boolean {
    const own = this.#registers;
    const writable = registers.LVT_WRITABLE[index];
    if (writable === undefined) return false;
    const before = own.lvt[index] as number;
    own.lvt[index] = (value & writable) | ((own.svr & registers.SVR_ENABLED) === 0 ? registers.LVT_MASKED : 0);
    if (index === registers.LVT_TIMER) this.#timer.modeChanged(before);
    if (index === registers.LVT_LINT0 && this.#externalPending()) this.#options.signals.wake(this.cpu);
    return true;
  }

  /** The ICR's lower half sends. Delivery is at once, so that its status is always idle. */
  #command(value: number): boolean {
    const own = this.#registers;
    own.icrLow = value & 0xccfff;
    this.#options.sendIpi(this, own.icrLow, this.x2apic ? own.icrHigh : own.icrHigh >>> 24);
    return true;
  }

  /** What can be delivered now, after any change of requests, services or priorities. */
  #settle(): void {
    const before = this.#deliverable;
    const requested = registers.highest(this.#registers.irr);
    this.#deliverable = requested >= 0 && requested >> 4 > this.priority >> 4 && this.enabled ? requested : -1;
    if (this.#deliverable >= 0 && before < 0) this.#options.signals.wake(this.cpu);
  }
}
