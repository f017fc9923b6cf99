/** Writes decoded instructions as the records that handlers read. */

import type { Decoded, DecodedOperand } from '../decode.ts';
import { internalOffset, RECORD, RECORD_BITS, stateOffset } from '../layout.ts';
import { segmentRegisters } from '../state.ts';

const zero = internalOffset('zero');
const pageBase = internalOffset('pageBase');

/** Where a register is, counted from the state. */
export function placeOf(operand: DecodedOperand & { kind: 'register' }): number {
  const { bank, number, high } = operand;
  switch (bank) {
    case 'general': return 8 * number + (high ? 1 : 0);
    case 'xmm': return stateOffset('xmm0Low') + 16 * number;
    case 'st':
    case 'mmx': return stateOffset('st0Low') + 16 * number;
    case 'segment': return stateOffset('esSelector') + 16 * number;
    case 'control': return stateOffset(number === 0 ? 'cr0' : number === 8 ? 'cr8' : number === 2 ? 'cr2' : number === 3 ? 'cr3' : 'cr4');
    case 'debug': return stateOffset('dr0') + 8 * Math.min(number, 5);
    default: return bank satisfies never;
  }
}

/**
 * @param at the record's address
 * @param offset of the instruction in its page
 */
export function writeRecord(view: DataView, at: number, handler: number, offset: number, decoded: Decoded): void {
  view.setUint16(at + RECORD.handler, handler, true);
  view.setUint16(at + RECORD.offset, offset, true);
  view.setUint8(at + RECORD.length, decoded.length);
  view.setUint8(at + RECORD.scale, 0);
  view.setUint8(at + RECORD.segment, segmentRegisters.indexOf(decoded.segment ?? 'ds'));
  view.setUint8(at + RECORD.bits, { 16: RECORD_BITS.address16, 32: RECORD_BITS.address32, 64: 0 }[decoded.addressSize]);
  view.setUint16(at + RECORD.base, zero, true);
  view.setUint16(at + RECORD.index, zero, true);
  view.setInt32(at + RECORD.link, 0, true);
  let registers = 0;
  let immediates = 0;
  for (const operand of decoded.operands) {
    if (operand.kind === 'register') {
      view.setUint16(at + (RECORD.registers[registers++] as number), placeOf(operand), true);
    } else if (operand.kind === 'immediate') {
      if (immediates++ === 0) view.setBigUint64(at + RECORD.immediate, operand.value, true);
      else view.setInt32(at + RECORD.displacement, Number(operand.value), true);
    } else {
      writeMemory(view, at, offset, decoded, operand);
    }
  }
}

function writeMemory(view: DataView, at: number, offset: number, { length, instruction, operands }: Decoded, operand: DecodedOperand & { kind: 'memory' }): void {
  const place = (register: number | 'rip' | undefined): number => (register === 'rip' ? pageBase : register === undefined ? zero : 8 * register);
  view.setUint8(at + RECORD.scale, operand.scale);
  view.setUint8(at + RECORD.segment, segmentRegisters.indexOf(operand.segment));
  view.setUint16(at + RECORD.base, place(operand.base), true);
  view.setUint16(at + RECORD.index, place(operand.index), true);
  const displacement = operand.base === 'rip' ? operand.displacement + BigInt(offset + length) : operand.displacement;
  if (displacement === BigInt.asIntN(32, displacement)) {
    view.setInt32(at + RECORD.displacement, Number(displacement), true);
    return;
  }
  // An address of 64 bits (MOV to and from memory offsets) goes where an immediate would be: there is none beside it.
  if (operands.some(({ kind }) => kind === 'immediate') || operand.base !== undefined) throw new Error(`${instruction.name}: an address and an immediate of 64 bits`);
  view.setBigUint64(at + RECORD.immediate, displacement, true);
}
