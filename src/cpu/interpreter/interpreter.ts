/** The software processor: emitted handlers run records, and what they can't do is done here. */

import { arithmeticFlags, RFLAGS } from '../builder.ts';
import type { CodeSize } from '../decode.ts';
import { instantiateFloat, type Float } from '../float/float.ts';
import type { EngineFunctions } from '../emit/signatures.ts';
import { ALIGNED_TAG, EXIT, FLAGS, LIFTED_TAG, RECORD, RECORD_BITS, RECORD_SIZE, STATE, USER_TAG } from '../layout.ts';
import { unitBits, unitFault, unitMember, units } from '../units.ts';
import { CR4_SMAP, EFER_LMA } from '../paging.ts';
import { Regions, sampleInterval } from '../region/regions.ts';
import type { PhysicalRegion } from '../physical.ts';
import { Registers, SEGMENT } from '../registers.ts';
import { cpuState, segmentRegisters } from '../state.ts';
import { executionBreakpoints } from '../system/breakpoints.ts';
import { deliver, hasErrorCode } from '../system/exceptions.ts';
import { CR0 } from '../system/mode.ts';
import { operationNumber, operations } from '../system/operations.ts';
import { DB, NMI, SS, type Outside, type Processor, type Witness } from '../system/processor.ts';
import { CodeCache } from './code-cache.ts';
import { Fetch, type FetchOwner } from './fetch.ts';
import { special } from '../emit/special.ts';
import { Handlers } from './handlers.ts';
import { mostFuel } from './internal.ts';
import { OperandMemory } from './operand-memory.ts';

export interface InterpreterOptions {
  readonly memory: WebAssembly.Memory;
  /** Of the memory, in pages of 64 KiB: emitted modules name them. */
  readonly limits: { readonly initial: number; readonly maximum: number; readonly shared: boolean };
  readonly regions: readonly PhysicalRegion[];
  readonly outside: Outside;
  /** build/float.wasm. */
  readonly float: Uint8Array;
  /** Whether a maskable interrupt waits, and its vector when it is taken. */
  readonly interrupts: { pending(): boolean; acknowledge(): number } | undefined;
  /** Whether hot loops are translated as a whole (src/cpu/region); they are, when it is left out. */
  readonly translates?: boolean;
}

export type InterpreterExit = 'halt' | 'kicked' | 'budget' | 'shutdown' | 'debug';

/** What a fault takes of the budget: as long as so many instructions. */
const faultCost = 100;

/** Of `interruptShadow`, behind MOV SS and POP SS. */
const SHADOW_OF_STACK = 2;

/** Bits of DR6: a single step, and the T bit of a task. */
const STEP = 0x4000;
const TASK_TRAP = 0x8000;

/** Values of `activity`. */
const RUNNING = 0;
const HALTED = 1;

export class Interpreter extends OperandMemory implements Processor, FetchOwner {
  readonly state: DataView;
  readonly float: Float;
  /** Sees each exception and interrupt before it is delivered, and keeps it from the guest by giving true. */
  intercept: ((vector: number, errorCode: number | undefined) => boolean) | undefined = undefined;
  witness: Witness | undefined = undefined;
  trapPending = false;
  readonly otherMsrs = new Map<number, bigint>();
  readonly #handlers: Handlers;
  readonly #cache: CodeCache;
  readonly #fetch: Fetch;
  readonly #regions: Regions | undefined;
  /** The loop has been left because an interval was over. */
  #sampled = false;
  readonly #interrupts: InterpreterOptions['interrupts'];
  codeSize: CodeSize = 16;
  /** What the masks and the units' faults in `internal` were made for. */
  #stackSize: 16 | 32 | 64 | undefined;
  #unitState = -1;
  /** The registers of an operation's instruction are not the ones to go on with behind it: elsewhere, or in another mode. */
  #moved = false;
  repeats = false;
  #kicked = false;
  #shutdown = false;
  /** Set by an operation after which the loop has to be left: interrupts, a halt, a new mode to look at. */
  #lookUp = false;

  constructor({ memory, limits, regions, outside, float, interrupts, translates = true }: InterpreterOptions) {
    const state = new DataView(memory.buffer, STATE, cpuState.size);
    super(memory, new Registers(state), regions, outside);
    this.state = state;
    this.#interrupts = interrupts;
    this.float = instantiateFloat(float);
    this.#handlers = new Handlers(memory, limits, this.float, this.#engineFunctions(), operationNumber);
    this.#cache = new CodeCache(memory, this.#handlers, () => this.translation.flushWrites(), (page) => this.#regions?.forget(page));
    this.#regions = translates ? new Regions(memory, this.#handlers, this.#cache) : undefined;
    this.#fetch = new Fetch(this.view, this.internal, this.physical, this.translation, this.#cache, this);
  }

  get stepping(): boolean {
    return this.trapPending || this.watched.any;
  }

  /** Instructions that have been executed since it was made. */
  get instructions(): number {
    return this.internal.instructions;
  }

  /** How many loops have been translated. */
  get regions(): number {
    return this.#regions?.made ?? 0;
  }

  /** Of another thread too. */
  kick(): void {
    this.#kicked = true;
    this.internal.leaveSoon();
  }

  /** Runs until something else than the guest's code is to be done. */
  run(budget = 1_000_000): InterpreterExit {
    this.#shutdown = false;
    this.modeChanged();
    let left = budget;
    for (;;) {
      if (this.#kicked) {
        this.#kicked = false;
        return this.#stop('kicked');
      }
      this.#takeTrap();
      if (left <= 0) return this.#stop('budget');
      const taken = this.#takeInterrupt();
      if (this.#shutdown) return this.#stop('shutdown');
      if (this.registers.number('activity') !== RUNNING) return this.#stop('halt');
      if (budget === 1) return this.#one(taken);
      const before = this.instructions;
      if (this.#single()) this.#runOne();
      else this.#runMany(left);
      // A fault is no instruction, and a handler that faults at its first one has no end.
      left -= this.instructions - before || faultCost;
      if (this.#shutdown) return this.#stop('shutdown');
    }
  }

  /** One instruction or one entry into a handler, and not what is behind it: who follows a guest step by step sees each place. */
  #one(taken: boolean): InterpreterExit {
    if (!taken) this.#runOne();
    return this.#stop(this.#shutdown ? 'shutdown' : 'budget');
  }

  /** One instruction. @param alone by its own handler; else by a region, if one begins there, and as far as that goes */
  step(alone = true): void {
    this.#shutdown = false;
    this.modeChanged();
    this.#runOne(alone);
    this.#explicitFlags();
  }

  /** Translates the loop that RIP stands in, or an instruction alone, be it hot or not. @returns false when there is none, or none that can be */
  translate(what: 'loop' | 'instruction'): boolean {
    this.modeChanged();
    const record = this.#enter();
    const place = record === 0 ? undefined : this.#fetch.place(this.registers.wide('rip'));
    if (place === undefined || this.#regions === undefined) return false;
    return what === 'loop' ? this.#regions.makeLoop(place) : this.#regions.makeOne(place);
  }

  #stop(exit: InterpreterExit): InterpreterExit {
    this.#explicitFlags();
    return exit;
  }

  /** One instruction and no more: interrupts are held off, or each is to be trapped. */
  #single(): boolean {
    const { registers } = this;
    return registers.number('interruptShadow') !== 0 || (registers.number('rflags') & (RFLAGS.TF | RFLAGS.RF)) !== 0 || (registers.number('dr7') & 0xff) !== 0;
  }

  #runMany(budget: number): void {
    this.internal.refuel(this.#regions === undefined ? budget : Math.min(budget, sampleInterval));
    this.#lookUp = false;
    const record = this.#enter();
    if (record !== 0) {
      if (this.#sampled) this.#regions?.meet(record, () => this.#fetch.place(this.registers.wide('rip')));
      this.#handlers.runtime.run(record);
    }
    this.#sampled = this.internal.number('exit') === EXIT.budget;
    this.#afterRun();
  }

  #runOne(alone = true): void {
    const { registers } = this;
    const flags = registers.number('rflags');
    if ((flags & RFLAGS.RF) === 0 && this.#meetsBreakpoint()) return;
    registers.setNumber('rflags', flags & ~RFLAGS.RF);
    registers.setNumber('interruptShadow', 0);
    this.trapPending = (flags & RFLAGS.TF) !== 0;
    this.internal.refuel(mostFuel);
    this.#lookUp = false;
    this.internal.setNumber('single', alone ? 1 : 0);
    let record = this.#enter();
    // What stands in the place of an instruction leads to one.
    while (record !== 0 && this.#isSpecial(record)) record = this.#handlers.runtime.step(record);
    const next = record === 0 ? 0 : this.#handlers.runtime.step(record);
    this.internal.setNumber('single', 0);
    if (next !== 0) this.#leaveAt(next);
    this.#afterRun();
    // Behind MOV SS there is no trap: single steps are lost, what breakpoints have met is kept.
    if (this.#shutdown || registers.number('interruptShadow') === SHADOW_OF_STACK) return;
    if (this.trapPending) this.debugCauses |= STEP;
    this.#takeTrap();
  }

  /** #DB behind an instruction, for what has come together in it. */
  #takeTrap(): void {
    if (this.debugCauses === 0) return;
    this.registers.setNumber('dr6', (this.registers.number('dr6') & ~0xf | this.debugCauses) >>> 0);
    this.#deliver(DB, undefined, 'trap');
  }

  /** A breakpoint on the instruction at RIP: #DB before it. */
  #meetsBreakpoint(): boolean {
    const { registers } = this;
    const hit = executionBreakpoints(registers, this.#fetch.linear(registers.wide('rip')));
    if (hit === 0) return false;
    registers.setNumber('dr6', (registers.number('dr6') & ~0xf | hit) >>> 0);
    // Alone of all faults it leaves RF in the image as it is (SDM volume 3, 17.3.1.1).
    this.#deliver(DB, undefined, 'trap');
    return true;
  }

  #isSpecial(record: number): boolean {
    return this.view.getUint16(record + RECORD.handler, true) < special.length;
  }

  /** Between two records: their instructions are counted and RIP is the second one's. */
  #leaveAt(record: number): void {
    if (record > this.internal.number('blockStart')) this.internal.count(this.internal.before(record));
    this.registers.setWide('rip', this.internal.ripOf(record));
    this.internal.setNumber('exit', EXIT.resume);
  }

  #enter(): number {
    this.internal.setNumber('exit', EXIT.resume);
    this.internal.setNumber('record', 0);
    this.noAddress = false;
    if (this.#cache.full) this.#cache.clear();
    return this.#fetch.resolve(this.registers.wide('rip'));
  }

  #afterRun(): void {
    if (this.internal.number('exit') !== EXIT.fault) return;
    const record = this.internal.number('record');
    if (record !== 0) {
      this.internal.count(this.internal.before(record));
      this.registers.setWide('rip', this.internal.ripOf(record));
    }
    const stack = this.noAddress && record !== 0 && this.view.getUint8(record + RECORD.segment) === segmentRegisters.indexOf('ss');
    const vector = stack ? SS : this.internal.number('vector');
    this.#deliver(vector, hasErrorCode(vector) ? this.internal.number('errorCode') : undefined, 'fault');
  }

  /** An exception or an interrupt; one in its delivery is a double fault, the next a shutdown. */
  #deliver(vector: number, errorCode: number | undefined, kind: 'fault' | 'trap' | 'interrupt'): void {
    this.#explicitFlags();
    if (this.intercept?.(vector, errorCode) === true) return;
    this.trapPending = false;
    this.debugCauses = 0;
    this.#moved = true;
    if (!deliver(this, this.raised, vector, errorCode, kind)) this.#shutdown = true;
    // A handler's frame does not trap the handler; the T bit of a task does.
    this.debugCauses &= TASK_TRAP;
    this.modeChanged();
  }

  /** @returns whether a handler has been entered */
  #takeInterrupt(): boolean {
    if (this.registers.number('interruptShadow') !== 0) return false;
    if (this.registers.number('nmiPending') !== 0 && this.registers.number('nmiBlocked') === 0) {
      this.registers.setNumber('nmiPending', 0);
      this.registers.setNumber('nmiBlocked', 1);
      this.registers.setNumber('activity', RUNNING);
      this.#deliver(NMI, undefined, 'interrupt');
      return true;
    }
    const waits = this.#interrupts?.pending() === true;
    this.internal.setNumber('interruptRequest', waits ? 1 : 0);
    if (!waits || (this.registers.number('rflags') & RFLAGS.IF) === 0) return false;
    const activity = this.registers.number('activity');
    if (activity !== RUNNING && activity !== HALTED) return false;
    this.registers.setNumber('activity', RUNNING);
    this.#deliver(this.#interrupts?.acknowledge() ?? 0, undefined, 'interrupt');
    return true;
  }

  /** The arithmetic flags into rflags, so that it is whole. */
  #explicitFlags(): void {
    if (this.internal.number('flagKind') === FLAGS.explicit) return;
    const found = this.#handlers.runtime.flags();
    this.registers.setNumber('rflags', (this.registers.number('rflags') & ~arithmeticFlags) | found);
    this.internal.setNumber('flagKind', FLAGS.explicit);
  }

  flags(): number {
    this.#explicitFlags();
    return this.registers.number('rflags');
  }

  setFlags(flags: number): void {
    this.#explicitFlags();
    this.registers.setNumber('rflags', flags);
    if (flags & (RFLAGS.TF | RFLAGS.RF)) this.#lookUp = true;
  }

  pause(): void {
    this.#lookUp = true;
  }

  modeChanged(): void {
    const { registers, paging } = this;
    this.#moved = true;
    paging.cr0 = registers.number('cr0');
    paging.cr3 = registers.number('cr3');
    paging.cr4 = registers.number('cr4');
    paging.efer = registers.number('efer');
    const cs = registers.number('csAttributes');
    const flags = registers.number('rflags');
    const longMode = (paging.efer & EFER_LMA) !== 0;
    this.long = longMode && (cs & SEGMENT.long) !== 0;
    this.level = (paging.cr0 & 1) === 0 ? 0 : flags & RFLAGS.VM ? 3 : (registers.number('ssAttributes') >> 5) & 3;
    const size = this.long ? 64 : cs & SEGMENT.big ? 32 : 16;
    // Translations of code lead to records of one size.
    if (size !== this.codeSize) this.#cache.flushTranslations();
    this.codeSize = size;
    const smapLifted = this.level < 3 && paging.lifted && (paging.cr4 & CR4_SMAP) !== 0;
    this.aligned = this.level === 3 && (flags & RFLAGS.AC) !== 0 && (paging.cr0 & CR0.AM) !== 0;
    const ofUser = this.aligned ? USER_TAG | ALIGNED_TAG : USER_TAG;
    // Its upper half is zeros for good.
    this.internal.setNumber('mode', this.level === 3 ? ofUser : smapLifted ? LIFTED_TAG : 0);
    this.#setMasks(this.long ? 64 : registers.number('ssAttributes') & SEGMENT.big ? 32 : 16);
    // In 64-bit mode CS has no base, whatever its descriptor says.
    if (this.long) registers.setNumber('csBase', 0);
    const unitState = unitBits(paging.cr0, paging.cr4);
    if (unitState !== this.#unitState) for (const unit of units) this.internal.setByte(unitMember[unit], unitFault(registers, unit));
    this.#unitState = unitState;
    if ((registers.number('dr7') & 0xff) === 0 && !this.watched.any) return;
    this.#lookUp = true;
    if (this.watched.refresh(registers)) this.translation.flush();
  }

  /** Of linear addresses and of the stack's. @param size of the stack: 64 in 64-bit mode alone */
  #setMasks(size: 16 | 32 | 64): void {
    if (size === this.#stackSize) return;
    this.#stackSize = size;
    this.internal.setWide('linearMask', size === 64 ? 2n ** 64n - 1n : 0xffffffffn);
    this.internal.setWide('stackMask', 2n ** BigInt(size) - 1n);
  }

  flushTranslations(global: boolean): void {
    this.#moved = true;
    if (global) {
      this.translation.flush();
      this.#cache.flushTranslations();
    } else {
      this.translation.flushLocal();
      this.#cache.flushLocal();
    }
  }

  flushTranslation(linear: bigint): void {
    this.#moved = true;
    const low = Number(linear & 0xffffffffn);
    if (this.translation.flushPage(low, Number((linear >> 32n) & 0xffffffffn))) this.#cache.flushPage(low);
    else this.#cache.flushTranslations();
  }

  written(physical: number, size: number): void {
    this.#cache.written(physical, size);
  }

  hasCode(page: number): boolean {
    return this.#cache.hasCode(page);
  }

  #engineFunctions(): EngineFunctions {
    return {
      slowRead: (low, high, size) => this.stackFault(size, this.translation.slowRead(low, high, size & 0xff)),
      slowWrite: (low, high, size) => this.stackFault(size, this.translation.slowWrite(low, high, size & 0xff)),
      slowModify: (low, high, size) => this.stackFault(size, this.translation.slowModify(low, high, size & 0xff)),
      finishStore: () => this.#finishStore(),
      checkSegment: (segment, offset, size, write) => this.checkSegment(segment, offset >>> 0, size, write !== 0),
      resolve: (rip) => this.#fetch.resolve(BigInt.asUintN(64, rip)),
      straddle: (record) => this.#fetch.straddle(record),
      system: (operation, record, a, b, c) => this.#system(operation, record, a, b, c),
    };
  }

  /** A device that was written to may want an interrupt now. */
  #finishStore(): void {
    this.translation.finishStore();
    if (this.#interrupts?.pending() !== true) return;
    this.internal.setNumber('interruptRequest', 1);
    this.internal.leaveSoon();
  }

  /** A whole instruction in JavaScript. RIP is the next one's from the beginning. */
  #system(operation: number, record: number, a: bigint, b: bigint, c: bigint): number {
    const rip = this.internal.ripOf(record);
    this.internal.count(this.internal.before(record) + 1);
    const next = rip + BigInt(this.view.getUint8(record + RECORD.length));
    this.registers.setWide('rip', this.long ? BigInt.asUintN(64, next) : BigInt.asUintN(32, next));
    // What held interrupts off did so until this instruction.
    this.registers.setNumber('interruptShadow', 0);
    this.#moved = false;
    this.repeats = false;
    try {
      operations[operation]?.run(this, BigInt.asUintN(64, a), BigInt.asUintN(64, b), BigInt.asUintN(64, c));
    } catch (error) {
      if (error !== this.raised) throw error;
      this.registers.setWide('rip', rip);
      this.#moved = true;
      this.repeats = false;
      this.#deliver(this.raised.vector, this.raised.errorCode, 'fault');
      if (this.#shutdown) return this.#pause();
    }
    if (this.repeats) this.registers.setWide('rip', rip);
    if (this.#mustPause()) return this.#pause();
    const follows = !this.#moved && !this.repeats && (this.view.getUint8(record + RECORD.bits) & RECORD_BITS.ends) === 0;
    if (!follows) return this.#fetch.resolve(this.registers.wide('rip'));
    this.internal.setNumber('blockStart', record + RECORD_SIZE);
    return record + RECORD_SIZE;
  }

  /** Whether something is to be done between this instruction and the next. */
  #mustPause(): boolean {
    if (this.#lookUp || this.#kicked || this.trapPending || this.debugCauses !== 0 || this.internal.leaving || this.registers.number('activity') !== RUNNING) return true;
    if (this.#interrupts?.pending() !== true) return false;
    this.internal.setNumber('interruptRequest', 1);
    return (this.registers.number('rflags') & RFLAGS.IF) !== 0;
  }

  #pause(): number {
    this.internal.setNumber('exit', EXIT.resume);
    return 0;
  }
}

