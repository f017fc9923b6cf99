/** Accesses to memory in emitted code: by the TLB where it knows the page, else by the engine, and the way out of an instruction that faults. */

import type { Segment, Value, Width } from '../builder.ts';
import type { HelperName } from '../helpers.ts';
import { EXIT, internalOffset, RECORD, SCRATCH, STATE, stateOffset } from '../layout.ts';
import { segmentRegisters } from '../state.ts';
import type { Code } from '../wasm/code.ts';
import { FlagCode } from './flag-code.ts';
import { STACK_ACCESS, type Functions, type RuntimeFunction } from './signatures.ts';
import { pushAddress, requireAligned, throughTlb, type Slow } from './tlb.ts';
import { pushValue } from './value.ts';

/** A memory operand. */
export interface Memory {
  readonly kind: 'memory';
  readonly width: Width;
  /** In the segment; the linear address itself where there is none. */
  readonly offset: Value;
  /** `data` is DS or what a prefix says, of instructions without an operand; `operand` is the segment of the record. */
  readonly segment: Segment | 'data' | 'operand' | 'none';
  readonly aligned?: boolean;
  /** Where `modify` has found it in the host's memory. */
  host?: number;
}

export const loads: Readonly<Record<number, string>> = { 1: 'i32.load8_u', 8: 'i32.load8_u', 16: 'i32.load16_u', 32: 'i32.load', 64: 'i64.load', 128: 'v128.load' };
export const stores: Readonly<Record<number, string>> = { 8: 'i32.store8', 16: 'i32.store16', 32: 'i32.store', 64: 'i64.store', 128: 'v128.store' };

export const GP = 13;

/** Where the record's address is: the parameter of a handler, and of the loop. */
export const record = 0;

const at = (name: Parameters<typeof internalOffset>[0]): number => STATE + internalOffset(name);

export abstract class Access extends FlagCode {
  readonly long: boolean;
  protected readonly functions: Functions;
  readonly #based: boolean;

  /** @param based whether `data` is in a segment with a base */
  constructor(code: Code, functions: Functions, { long, based }: { readonly long: boolean; readonly based: boolean }) {
    super(code);
    this.functions = functions;
    this.long = long;
    this.#based = based;
  }

  protected helperFunction(helper: HelperName): number {
    return this.functions.helper(helper);
  }

  protected runtimeFunction(name: RuntimeFunction): number {
    return this.functions.runtime(name);
  }

  /** Out of the loop, with what is told in `internal`. */
  protected leave(): Code {
    return this.code.get(record).call(this.functions.runtime('leave')).op('return');
  }

  /** Ends the instruction with an exception. @param vector puts its number on the stack */
  protected raise(vector: (code: Code) => Code, errorCode = 0): Code {
    const { code } = this;
    vector(code.i32(0)).access('i32.store', at('vector')).i32(0).i32(errorCode).access('i32.store', at('errorCode'));
    code.i32(0).i32(EXIT.fault).access('i32.store', at('exit'));
    return this.leave();
  }

  protected load(host: number, width: Width): Value {
    return this.keep(width, (code) => code.get(host).access(loads[width] as string));
  }

  protected store(host: number, value: Value): void {
    pushValue(this.code.get(host), value).access(stores[value.width] as string);
    this.code.get(host).i32(SCRATCH).op('i32.eq').if().call(this.functions.runtime('finishStore')).end();
  }

  /** The local with the host's address of a memory operand. */
  protected host(it: Memory, slow: Slow): number {
    const { code } = this;
    const size = it.width / 8;
    const linear = this.#linear(it, size, slow !== 'slowRead');
    const ask = (bytes: number): Code => pushAddress(code, linear).i32(bytes).call(this.functions.runtime(slow));
    if (it.aligned === true) {
      requireAligned(code, linear, size, () => {
        ask(size).op('drop');
        this.leave();
      }, () => this.raise((each) => each.i32(GP)));
    }
    return throughTlb(code, linear, size, slow, {
      mode: (each) => each.i32(0).access('i64.load', at('mode')),
      miss: (host) => {
        ask(it.segment === 'ss' ? size | STACK_ACCESS : size).tee(host).op('i32.eqz').if();
        this.leave().end();
      },
    });
  }

  /** Segment base + offset, after the segment's checks; a local. */
  #linear({ segment, offset }: Memory, size: number, write: boolean): number {
    const linear = this.code.local('i64');
    const { code } = this;
    const ofRecord = segment === 'operand' || segment === 'data';
    if (!this.long) {
      if (ofRecord) code.get(record).access('i32.load8_u', RECORD.segment);
      else code.i32(segmentRegisters.indexOf(segment as Segment));
      pushValue(code, offset).i32(size).i32(write ? 1 : 0).call(this.functions.runtime('segmented')).tee(linear).i64(-1n).op('i64.eq').if();
      this.leave().end();
      return linear;
    }
    pushValue(code, offset);
    if (segment === 'operand' || (segment === 'data' && this.#based)) {
      code.get(record).access('i32.load8_u', RECORD.segment).i32(4).op('i32.shl').access('i64.load', STATE + stateOffset('esBase')).op('i64.add');
    } else if (segment === 'fs' || segment === 'gs') {
      code.i32(0).access('i64.load', STATE + stateOffset(segment === 'fs' ? 'fsBase' : 'gsBase')).op('i64.add');
    }
    code.set(linear);
    return linear;
  }
}
