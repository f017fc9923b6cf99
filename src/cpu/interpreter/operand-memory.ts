/** Memory as the processor's own operations reach it: through segments and pages, with the faults that these have. */

import { STACK_ACCESS } from '../emit/signatures.ts';
import { EXIT, RESERVED, SCRATCH, USER_TAG } from '../layout.ts';
import { PhysicalMemory, type PhysicalRegion } from '../physical.ts';
import { segmentName, type Registers } from '../registers.ts';
import { DataBreakpoints } from '../system/breakpoints.ts';
import { hasErrorCode } from '../system/exceptions.ts';
import { AC, Fault, GP, PF, SS, type Outside } from '../system/processor.ts';
import { isCanonical } from '../system/mode.ts';
import { allowsAccess } from '../system/segment-access.ts';
import { Internal } from './internal.ts';
import { PagingState } from './paging-state.ts';
import { Translation, type TranslationOwner } from './translation.ts';

export abstract class OperandMemory implements TranslationOwner {
  readonly registers: Registers;
  readonly outside: Outside;
  readonly paging: PagingState;
  readonly watched = new DataBreakpoints();
  level = 0;
  long = false;
  aligned = false;
  debugCauses = 0;
  protected readonly view: DataView;
  protected readonly internal: Internal;
  protected readonly physical: PhysicalMemory;
  protected readonly translation: Translation;
  /** What {@link fault} throws, again and again. */
  protected readonly raised = new Fault();
  /** The last fault was an address that is none: whether it is #GP or #SS is its segment's to say. */
  protected noAddress = false;

  /** @param regions of the guest's memory, all behind what the engine keeps for itself */
  constructor(memory: WebAssembly.Memory, registers: Registers, regions: readonly PhysicalRegion[], outside: Outside) {
    if (regions.some(({ offset }) => offset < RESERVED)) throw new Error(`the guest's memory begins before ${RESERVED}`);
    this.registers = registers;
    this.outside = outside;
    this.view = new DataView(memory.buffer);
    this.internal = new Internal(this.view);
    this.paging = new PagingState(registers);
    this.physical = new PhysicalMemory(memory, regions);
    this.translation = new Translation(memory, this.physical, outside, this);
  }

  abstract written(physical: number, size: number): void;
  abstract hasCode(page: number): boolean;

  get user(): boolean {
    return this.level === 3;
  }

  fault(vector: number, errorCode = 0): never {
    this.raised.vector = vector;
    this.raised.errorCode = hasErrorCode(vector) ? errorCode : undefined;
    throw this.raised;
  }

  bytesAt(segment: number, offset: bigint, bytes: number, write: boolean): Uint8Array | undefined {
    if (!this.long && !allowsAccess(this.registers.segment(segmentName(segment)), Number(offset & 0xffffffffn), bytes, write)) return undefined;
    const linear = this.#linear(segment, offset, bytes, write);
    const [low, high] = [Number(linear & 0xffffffffn), Number(linear >> 32n)];
    // Where each access is looked at, they are made one by one.
    const plain = !this.aligned && !(this.watched.any && this.watched.inPage(linear));
    const host = write ? this.translation.slowWrite(low, high, 1) : this.translation.slowRead(low, high, 1);
    if (host === 0) throw this.#told();
    return host === SCRATCH || !plain || (low & 0xfff) + bytes > 0x1000 ? undefined : new Uint8Array(this.view.buffer, host, bytes);
  }

  readPhysical(address: number): number {
    return this.physical.read32(address);
  }

  read(linear: bigint, bytes: number, implicit = false): bigint {
    const [low, high] = [Number(BigInt.asUintN(32, linear)), Number(linear >> 32n)];
    const tag = this.#beginImplicit(implicit);
    const host = this.translation.readHost(low, high, bytes);
    if (implicit) this.#endImplicit(tag);
    if (host === 0) throw this.#told();
    switch (bytes) {
      case 8: return this.view.getBigUint64(host, true);
      case 4: return BigInt(this.view.getUint32(host, true));
      case 2: return BigInt(this.view.getUint16(host, true));
      default: return BigInt(this.view.getUint8(host));
    }
  }

  write(linear: bigint, bytes: number, value: bigint, implicit = false): void {
    const [low, high] = [Number(BigInt.asUintN(32, linear)), Number(linear >> 32n)];
    const tag = this.#beginImplicit(implicit);
    const host = this.translation.writeHost(low, high, bytes);
    if (implicit) this.#endImplicit(tag);
    if (host === 0) throw this.#told();
    switch (bytes) {
      case 8: this.view.setBigUint64(host, value, true); break;
      case 4: this.view.setUint32(host, Number(BigInt.asUintN(32, value)), true); break;
      case 2: this.view.setUint16(host, Number(BigInt.asUintN(16, value)), true); break;
      default: this.view.setUint8(host, Number(BigInt.asUintN(8, value)));
    }
    if (host === SCRATCH) this.translation.finishStore();
  }

  /** What follows is done with the supervisor's rights, until {@link #endImplicit} with the tag that this gives. */
  #beginImplicit(implicit: boolean): number {
    const tag = this.internal.number('mode');
    if (implicit && tag !== 0) {
      if (this.level === 3) this.level = 0;
      this.paging.implicit = true;
      this.internal.setNumber('mode', 0);
    }
    return tag;
  }

  #endImplicit(tag: number): void {
    if (tag === 0) return;
    if (tag & USER_TAG) this.level = 3;
    this.paging.implicit = false;
    this.internal.setNumber('mode', tag);
  }

  /** The fault that a translation has told in `internal`. */
  #told(): Fault {
    this.raised.vector = this.internal.number('vector');
    this.raised.errorCode = hasErrorCode(this.raised.vector) ? this.internal.number('errorCode') : undefined;
    this.internal.setNumber('exit', EXIT.resume);
    return this.raised;
  }

  readSegment(segment: number, offset: bigint, bytes: number): bigint {
    return this.read(this.#linear(segment, offset, bytes, false), bytes);
  }

  writeSegment(segment: number, offset: bigint, bytes: number, value: bigint): void {
    this.write(this.#linear(segment, offset, bytes, true), bytes, value);
  }

  #linear(segment: number, offset: bigint, bytes: number, write: boolean): bigint {
    const base = this.registers.wide(`${segmentName(segment)}Base`);
    if (this.long && segment === 2 && !(isCanonical(offset) && isCanonical(BigInt.asUintN(64, offset + BigInt(bytes - 1))))) this.fault(SS);
    if (this.long) return segment >= 4 ? BigInt.asUintN(64, base + offset) : offset;
    const within = Number(offset & 0xffffffffn);
    if (!allowsAccess(this.registers.segment(segmentName(segment)), within, bytes, write)) this.fault(segment === 2 ? SS : GP);
    return BigInt.asUintN(32, base + offset);
  }

  misaligned(): void {
    this.tell(AC, 0);
  }

  pageFault(errorCode: number, low: number, high: number): void {
    this.registers.setWide('cr2', (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
    this.tell(PF, errorCode);
  }

  notCanonical(): void {
    this.tell(GP, 0);
    this.noAddress = true;
  }

  /** An address that is none is a #SS when it is the stack's. */
  protected stackFault(size: number, host: number): number {
    if (host === 0 && this.noAddress && size & STACK_ACCESS) this.tell(SS, 0);
    return host;
  }

  tell(vector: number, errorCode: number): void {
    this.noAddress = false;
    this.internal.setNumber('vector', vector);
    this.internal.setNumber('errorCode', errorCode);
    this.internal.setNumber('exit', EXIT.fault);
  }

  protected checkSegment(segment: number, offset: number, size: number, write: boolean): number {
    if (allowsAccess(this.registers.segment(segmentName(segment)), offset, size, write)) return 1;
    this.tell(segment === 2 ? SS : GP, 0);
    return 0;
  }
}
