/** Memory in a region: an access goes by the TLB, and by a function of the engine where that does not serve it. */

import type { Value, Width } from '../builder.ts';
import { GP, loads } from '../emit/access.ts';
import { STACK_ACCESS, type Functions, type RuntimeFunction } from '../emit/signatures.ts';
import { pushAddress, requireAligned, throughTlb, type Slow } from '../emit/tlb.ts';
import { pushValue } from '../emit/value.ts';
import type { HelperName } from '../helpers.ts';
import { EXIT, internalOffset, STATE, stateOffset } from '../layout.ts';
import { segmentRegisters, type SegmentRegister } from '../state.ts';
import type { Code } from '../wasm/code.ts';
import type { RegionCode } from './code.ts';
import { RegionExits } from './exits.ts';
import type { Memory } from './operand.ts';

const at = (name: Parameters<typeof internalOffset>[0]): number => STATE + internalOffset(name);

export abstract class RegionAccess extends RegionExits {
  readonly long: boolean;
  /** What has to be so when the region is entered: outside of 64-bit mode, segments that are the whole address space, and a stack of 32 bits. */
  readonly flat = new Set<SegmentRegister>();
  wideStack = false;
  readonly #functions: Functions;

  /** @param self the number that the region has in the table */
  constructor(code: RegionCode, functions: Functions, long: boolean, self: number) {
    super(code, long, self);
    this.#functions = functions;
    this.long = long;
  }

  protected helperFunction(helper: HelperName): number {
    return this.#functions.helper(helper);
  }

  protected runtimeFunction(name: RuntimeFunction): number {
    return this.#functions.runtime(name);
  }

  protected load(host: number, width: Width): Value {
    return this.keep(width, (code) => code.get(host).access(loads[width] as string));
  }

  /** The host address of a memory operand: by the TLB, else by a function of the engine. */
  protected host(it: Memory, slow: Slow): number {
    const { code } = this;
    const size = it.width / 8;
    const write = slow !== 'slowRead';
    const checked = this.#checkedBefore(it.segment);
    const linear = checked ? this.#segmented(it, size, write) : this.#linear(it);
    const ask = (bytes: number): Code => pushAddress(code, linear).i32(bytes).call(this.runtimeFunction(slow));
    if (it.aligned === true) {
      requireAligned(code, linear, size, () => {
        ask(size).op('drop');
        this.leaveWithFault();
      }, () => this.raise(GP, 0));
    }
    return throughTlb(code, linear, size, slow, {
      mode: (each) => each.get(this.mode),
      miss: (host) => {
        if (!this.long && !checked) this.#checkSegment(it, linear, size, write);
        this.fuelToMemory();
        ask(it.segment === 'ss' ? size | STACK_ACCESS : size).tee(host).op('i32.eqz').if();
        this.leaveWithFault();
        code.end();
      },
    });
  }

  /** Outside of 64-bit mode, FS and GS have a base, and CS may not be read: the interpreter's function looks at each access. */
  #checkedBefore(segment: SegmentRegister): boolean {
    if (this.long) return false;
    if (segment !== 'ds' && segment !== 'es' && segment !== 'ss') return true;
    this.flat.add(segment);
    return false;
  }

  /** Segment base + offset; a local. */
  #linear({ segment, offset }: Memory): number {
    const { code } = this;
    const linear = code.local('i64');
    pushValue(code, offset);
    if (this.long && (segment === 'fs' || segment === 'gs')) code.i32(0).access('i64.load', STATE + stateOffset(`${segment}Base`)).op('i64.add');
    code.set(linear);
    return linear;
  }

  #segmented({ segment, offset }: Memory, size: number, write: boolean): number {
    const { code } = this;
    const linear = code.local('i64');
    pushValue(code.i32(segmentRegisters.indexOf(segment)), offset).i32(size).i32(write ? 1 : 0).call(this.runtimeFunction('segmented')).tee(linear);
    code.i64(-1n).op('i64.eq').if();
    this.leaveWithFault();
    code.end();
    return linear;
  }

  /** Of a segment that is the whole address space, what the TLB does not serve may reach beyond its end. */
  #checkSegment({ segment }: Memory, linear: number, size: number, write: boolean): void {
    const { code } = this;
    code.i32(segmentRegisters.indexOf(segment)).get(linear).i32(size).i32(write ? 1 : 0).call(this.runtimeFunction('segmented')).i64(-1n).op('i64.eq').if();
    this.leaveWithFault();
    code.end();
  }

  protected raise(vector: number, errorCode: number): void {
    const { code } = this;
    code.i32(0).i32(vector).access('i32.store', at('vector')).i32(0).i32(errorCode).access('i32.store', at('errorCode'));
    code.i32(0).i32(EXIT.fault).access('i32.store', at('exit'));
    this.leaveWithFault();
  }
}
