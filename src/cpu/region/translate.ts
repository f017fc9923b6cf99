/** A region as a WebAssembly module: one function, which is a handler like any other and runs until it leaves the region. */

import { Imports } from '../emit/compile.ts';
import type { Functions } from '../emit/signatures.ts';
import { handlerSignature } from '../emit/signatures.ts';
import { pushValue } from '../emit/value.ts';
import { internalOffset, STATE, stateOffset } from '../layout.ts';
import { unitMember } from '../units.ts';
import { ModuleWriter, type MemoryLimits } from '../wasm/module.ts';
import { RegionBuilder, type Leaving } from './builder.ts';
import { RegionCode } from './code.ts';
import { sameFlags, unknownFlags, type KnownFlags } from './flags.ts';
import { flowOf, type Flow } from './flow.ts';
import type { Block } from './graph.ts';

export interface RegionPlan {
  readonly blocks: ReadonlyMap<number, Block>;
  /** The offset of the block that it is entered by. */
  readonly head: number;
  readonly long: boolean;
  /** The record of the instruction at an offset. */
  readonly recordAt: (offset: number) => number;
  /** The number in the table that the region gets, and the one of the handler that it stands for. */
  readonly self: number;
  readonly original: number;
}

export interface RegionHost {
  readonly memory: MemoryLimits;
  /** Entries of the table of handlers. */
  readonly handlers: number;
}

const at = (name: Parameters<typeof internalOffset>[0]): number => STATE + internalOffset(name);

/** A segment of data that is the whole address space: attributes that count and what they are to be (as in `segmented` of the runtime). */
const flatMask = 0x19e;
const flatValue = 0x92;

class RegionWriter {
  readonly #plan: RegionPlan;
  readonly #flow: Flow;
  readonly #code = new RegionCode(1);
  readonly #builder: RegionBuilder;
  /** Labels: depths of loops and of what stands before blocks that are led to from several. */
  readonly #loops = new Map<number, number>();
  readonly #merges = new Map<number, number>();
  /** What is known of the flags on the ways to such a block. */
  readonly #flagsInto = new Map<number, KnownFlags>();

  constructor(plan: RegionPlan, functions: Functions) {
    this.#plan = plan;
    this.#flow = flowOf(plan.blocks, plan.head);
    this.#builder = new RegionBuilder(this.#code, functions, plan.long, plan.self);
  }

  /** @param handler the type of handlers */
  write(handler: number): RegionCode {
    const { original, head } = this.#plan;
    this.#builder.begin();
    this.#tree(head);
    this.#builder.end(original, handler);
    this.#builder.enter(original, handler, (code) => this.#unless(code));
    return this.#code;
  }

  /** Puts something else than 0 on the stack, if the region can't be entered. */
  #unless(code: RegionCode): void {
    const { flat, wideStack, units } = this.#builder;
    code.i32(0).access('i32.load', at('single'));
    for (const unit of units) code.i32(0).access('i32.load8_u', at(unitMember[unit])).op('i32.or');
    for (const name of flat) {
      code.i32(0).access('i32.load16_u', STATE + stateOffset(`${name}Attributes`)).i32(flatMask).op('i32.and').i32(flatValue).op('i32.ne', 'i32.or');
      code.i32(0).access('i32.load', STATE + stateOffset(`${name}Limit`)).i32(-1).op('i32.ne', 'i32.or');
      code.i32(0).access('i64.load', STATE + stateOffset(`${name}Base`)).i64(0n).op('i64.ne', 'i32.or');
    }
    if (wideStack) code.i32(0).access('i64.load', at('stackMask')).i64(0xffffffffn).op('i64.ne', 'i32.or');
  }

  /** A block and all that it dominates: those that several lead to stand behind a label, all others where they are led to. */
  #tree(offset: number): void {
    const behind = (this.#flow.children.get(offset) ?? []).filter((each) => this.#flow.merges.has(each));
    if (!this.#flow.heads.has(offset)) {
      this.#within(offset, behind);
      return;
    }
    this.#builder.settleFlags();
    this.#loops.set(offset, this.#code.depth);
    this.#code.loop();
    this.#builder.known = unknownFlags;
    this.#within(offset, behind);
    this.#code.end();
  }

  /** @param behind in order: the last one stands outermost */
  #within(offset: number, behind: readonly number[]): void {
    const last = behind.at(-1);
    if (last === undefined) {
      this.#block(offset);
      return;
    }
    this.#merges.set(last, this.#code.depth);
    this.#code.block();
    this.#within(offset, behind.slice(0, -1));
    this.#code.end();
    this.#builder.known = this.#flagsInto.get(last) ?? unknownFlags;
    this.#tree(last);
  }

  #block(offset: number): void {
    const { steps } = this.#plan.blocks.get(offset) as Block;
    let leaving: Leaving | undefined;
    steps.forEach((step, before) => {
      leaving = this.#builder.instruction(step, this.#plan.recordAt(step.offset), before);
    });
    this.#builder.count(steps.length);
    const next = steps.at(-1)?.next ?? offset;
    this.#leave(offset, leaving, next);
  }

  #leave(offset: number, leaving: Leaving | undefined, next: number): void {
    if (leaving === undefined) {
      this.#edge(offset, next);
    } else if (leaving.kind === 'jump') {
      this.#builder.leaveAt(leaving.rip, 0);
    } else if (leaving.condition === undefined) {
      this.#edge(offset, leaving.target);
    } else {
      const { known } = this.#builder;
      pushValue(this.#code, leaving.condition).if();
      this.#edge(offset, leaving.target);
      this.#code.end();
      this.#builder.known = known;
      this.#edge(offset, next);
    }
  }

  /** From a block to an offset: on in the region, or out of it. */
  #edge(from: number, to: number): void {
    const { successors, place, merges } = this.#flow;
    const code = this.#code;
    const builder = this.#builder;
    if (successors.get(from)?.includes(to) !== true) {
      builder.leaveFor(to);
      return;
    }
    if ((place.get(to) as number) <= (place.get(from) as number)) {
      builder.settleFlags();
      code.get(builder.fuel).i32(0).access('i32.load', at('floor')).op('i32.gt_s').branch(this.#loops.get(to) as number, true);
      builder.leaveFor(to);
      return;
    }
    if (!merges.has(to)) {
      this.#tree(to);
      return;
    }
    builder.settleFlags();
    const other = this.#flagsInto.get(to);
    this.#flagsInto.set(to, other === undefined || sameFlags(other, builder.known) ? builder.known : unknownFlags);
    code.branch(this.#merges.get(to) as number);
  }
}

/** @throws Unsupported, for an instruction that no region can hold */
export function translateRegion(plan: RegionPlan, { memory, handlers }: RegionHost): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const handler = module.type(handlerSignature);
  const imports = new Imports(() => -1);
  const code = new RegionWriter(plan, imports).write(handler);
  module.importMemory('engine', 'memory', memory);
  module.importTable('engine', 'handlers', handlers);
  for (const each of imports.list) module.importFunction(each.module, each.name, each.signature);
  module.exportFunction('handler', module.function(handlerSignature, code));
  return module.encode();
}
