/** A cpu_state in memory, member by member. */

import type { FieldType } from '../lib/layout.ts';
import { cpuState, segmentRegisters, type SegmentRegister } from './state.ts';

export type StateName = keyof typeof cpuState.fields;

export interface SegmentState {
  selector: number;
  base: bigint;
  limit: number;
  attributes: number;
}

export class Registers {
  readonly view: DataView;

  /** @param view `cpuState.size` bytes */
  constructor(view: DataView) {
    this.view = view;
  }

  /** A member of 64 bits. */
  wide(name: StateName): bigint {
    return this.view.getBigUint64(cpuState.fields[name].offset, true);
  }

  setWide(name: StateName, value: bigint): void {
    this.view.setBigUint64(cpuState.fields[name].offset, BigInt.asUintN(64, value), true);
  }

  /** A member as a number: exact, since what is asked for in this way (control registers, limits, flags) has fewer than 53 bits. */
  number(name: StateName): number {
    const { offset, type } = cpuState.fields[name] as { offset: number; type: FieldType };
    switch (type) {
      case 'u64': return this.view.getUint32(offset, true) + this.view.getUint32(offset + 4, true) * 2 ** 32;
      case 'u32': return this.view.getUint32(offset, true);
      case 'u16': return this.view.getUint16(offset, true);
      default: return this.view.getUint8(offset);
    }
  }

  setNumber(name: StateName, value: number): void {
    const { offset, type } = cpuState.fields[name] as { offset: number; type: FieldType };
    switch (type) {
      case 'u64':
        this.view.setUint32(offset, value, true);
        this.view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
        break;
      case 'u32': this.view.setUint32(offset, value, true); break;
      case 'u16': this.view.setUint16(offset, value, true); break;
      default: this.view.setUint8(offset, value);
    }
  }

  /** A general register by its number in an encoding. */
  general(number: number): bigint {
    return this.view.getBigUint64(8 * number, true);
  }

  setGeneral(number: number, value: bigint): void {
    this.view.setBigUint64(8 * number, BigInt.asUintN(64, value), true);
  }

  segment(name: SegmentRegister): SegmentState {
    return {
      selector: this.number(`${name}Selector`), base: this.wide(`${name}Base`), limit: this.number(`${name}Limit`), attributes: this.number(`${name}Attributes`),
    };
  }

  setSegment(name: SegmentRegister, { selector, base, limit, attributes }: SegmentState): void {
    this.setNumber(`${name}Selector`, selector);
    this.setWide(`${name}Base`, base);
    this.setNumber(`${name}Limit`, limit);
    this.setNumber(`${name}Attributes`, attributes);
  }
}

/** Bits of a segment's attributes ({@link cpuState}). */
export const SEGMENT = { type: 0xf, code: 0x8, expandDown: 0x4, conforming: 0x4, writable: 0x2, readable: 0x2, accessed: 0x1, notSystem: 0x10, present: 0x80, long: 0x2000, big: 0x4000 } as const;

export const descriptorPrivilege = (attributes: number): number => (attributes >> 5) & 3;

export const segmentName = (number: number): SegmentRegister => segmentRegisters[number] as SegmentRegister;
