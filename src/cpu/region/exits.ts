/** Ways out of a region, all through one end of its function, where registers and flags are written back. */

import { internalOffset, RECORD_SIZE, STATE } from '../layout.ts';
import type { Value } from '../builder.ts';
import { pushValue } from '../emit/value.ts';
import type { RegionCode } from './code.ts';
import { RegionFlags } from './flags.ts';

const at = (name: Parameters<typeof internalOffset>[0]): number => STATE + internalOffset(name);

/** What is done behind the end, in the local `how`. */
const HOW = {
  /** On at `rip`. */
  pass: 0,
  /** With a fault of the instruction at `from`, which has been told. */
  fault: 1,
  /** On with the instruction at `from`, by its handler. */
  interpret: 2,
} as const;

/** General registers as locals: those that the region needs. */
export class RegionRegisters {
  readonly #code: RegionCode;
  readonly locals = new Map<number, number>();
  readonly changed = new Set<number>();

  constructor(code: RegionCode) {
    this.#code = code;
  }

  local(number: number): number {
    const known = this.locals.get(number);
    if (known !== undefined) return known;
    const local = this.#code.lasting('i64');
    this.locals.set(number, local);
    return local;
  }

  /** As `local`, of one that is set. */
  written(number: number): number {
    this.changed.add(number);
    return this.local(number);
  }
}

export abstract class RegionExits extends RegionFlags {
  /** The parameter: the record that the region is entered by. */
  protected readonly record = 0;
  protected readonly self: number;
  readonly registers: RegionRegisters;
  /** Locals: the TLB's bits for what runs now, where RIP's page begins, and what is left of the fuel. */
  readonly mode: number;
  readonly pageBase: number;
  readonly fuel: number;
  readonly #long: boolean;
  readonly #how: number;
  readonly #from: number;
  readonly #rip: number;
  /** The label of the end. */
  #end = 0;
  #instruction = 0;
  #before = 0;

  constructor(code: RegionCode, long: boolean, self: number) {
    super(code);
    this.#long = long;
    this.self = self;
    this.registers = new RegionRegisters(code);
    [this.mode, this.pageBase, this.#rip] = [code.lasting('i64'), code.lasting('i64'), code.lasting('i64')];
    [this.fuel, this.#how, this.#from] = [code.lasting('i32'), code.lasting('i32'), code.lasting('i32')];
  }

  /** What follows is left for what {@link end} writes. */
  begin(): void {
    this.#end = this.code.depth;
    this.code.block();
  }

  /** @param instruction the record of the one that is written now. @param before instructions that have been executed and not been counted */
  protected beginExits(instruction: number, before: number): void {
    this.#instruction = instruction;
    this.#before = before;
  }

  /** RIP at an offset from the page's beginning. */
  ripAt(offset: number): Value {
    return this.keep(64, (code) => {
      code.get(this.pageBase).i64(BigInt(offset)).op('i64.add');
      if (!this.#long) code.i64(0xffffffffn).op('i64.and');
    });
  }

  /** Instructions are counted. */
  count(instructions: number): void {
    if (instructions > 0) this.code.get(this.fuel).i32(instructions).op('i32.sub').set(this.fuel);
  }

  /** For who asks how many instructions have been executed. */
  protected fuelToMemory(): void {
    this.code.i32(0).get(this.fuel).access('i32.store', at('fuel'));
  }

  #leave(how: number): void {
    const { known } = this;
    this.settleFlags();
    // Only this way out has settled them.
    this.known = known;
    if (how !== HOW.pass) this.code.i32(this.#instruction).set(this.#from);
    this.code.i32(how).set(this.#how).branch(this.#end);
  }

  /** With the fault of this instruction that has been told. */
  protected leaveWithFault(): void {
    this.count(this.#before);
    this.#leave(HOW.fault);
  }

  /** The instruction is the interpreter's. */
  protected leaveToInterpret(): void {
    this.count(this.#before);
    this.#leave(HOW.interpret);
  }

  /** To an offset in the page, or out of it. @param itself whether the instruction at hand is counted too: 0 or 1; undefined when all are */
  leaveFor(offset: number, itself?: 0 | 1): void {
    this.leaveAt(this.ripAt(offset), itself === undefined ? 0 : this.#before + itself);
  }

  /** To RIP. */
  leaveAt(rip: Value, uncounted: number): void {
    this.count(uncounted);
    pushValue(this.code, rip).set(this.#rip);
    this.#leave(HOW.pass);
  }

  /**
   * Where all ways out meet.
   * @param original what the record's own handler is, for an instruction at its beginning
   * @param handler the type of handlers
   */
  end(original: number, handler: number): void {
    const { code } = this;
    code.end();
    for (const number of this.registers.changed) code.i32(0).get(this.registers.local(number)).access('i64.store', STATE + 8 * number);
    this.flagsToMemory();
    this.fuelToMemory();
    code.get(this.#how).i32(HOW.pass).op('i32.eq').if();
    code.i32(0).get(this.record).access('i32.store', at('blockStart')).get(this.record).get(this.#rip).call(this.runtimeFunction('pass')).op('return').end();
    code.i32(0).get(this.#from).access('i32.store', at('blockStart'));
    code.get(this.#how).i32(HOW.fault).op('i32.eq').if().get(this.#from).call(this.runtimeFunction('leave')).op('return').end();
    code.get(this.#from).get(this.record).op('i32.ne').if().get(this.#from).op('return').end();
    code.get(this.record).i32(original).callIndirect(handler);
  }

  /**
   * In front of all: what is needed is brought into locals, unless something that the code counts on is not so; then it is the record's own handler's.
   * @param unless puts 0 on the stack, or what is against it
   */
  enter(original: number, handler: number, unless: (code: RegionCode) => void): void {
    const { code } = this;
    code.prepend(() => {
      unless(code);
      code.if().get(this.record).i32(original).callIndirect(handler).op('return').end();
      code.i32(0).access('i32.load', at('fuel')).get(this.record).i32(0).access('i32.load', at('blockStart')).op('i32.sub').i32(Math.log2(RECORD_SIZE));
      code.op('i32.shr_u', 'i32.sub').set(this.fuel);
      code.i32(0).access('i64.load', at('mode')).set(this.mode).i32(0).access('i64.load', at('pageBase')).set(this.pageBase);
      for (const [number, local] of this.registers.locals) code.i32(0).access('i64.load', STATE + 8 * number).set(local);
    });
  }
}
