/**
 * What 64-bit code consists of for the most part: the shapes of these instructions make up 99 % of what Linux executes from its first instruction to
 * a shell. Their handlers stand in the loop itself. Many more would make it slower: V8 gives up on functions of some hundred kB.
 */

import { decode } from '../decode.ts';
import { shapeOf, type Shape } from './shape.ts';

/** One instruction of each shape, in hexadecimal. */
export const samples = [
  // MOV between registers, from memory, to memory, of immediates
  '4889c0', '89c0', '488b4708', '8b4708', '488b04cf', '8b04cf', '48894708', '894708', '488904cf', '8904cf', '884708', 'b801000000', '48c7c001000000', '48c7470801000000',
  '65488b042528000000', '658b042528000000',
  // MOVZX, MOVSX, MOVSXD
  '0fb6c0', '0fb64708', '0fb604cf', '0fb7c0', '0fb74708', '0fb704cf', '4863c0', '48634708', '480fbe4708',
  // LEA
  '488d4708', '488d04cf', '8d4708', '8d04cf',
  // ADD, ADC, SUB, SBB
  '4801c0', '01c0', '4883c001', '83c001', '4881c000010000', '480305ff623101', '034708', '480304cf', '4811c0', '4883d000', '4829c0', '29c0', '4883e801', '83e801', '4819c0', '19c0',
  // AND, OR, XOR
  '4821c0', '21c0', '4883e001', '83e001', '81e0ffff0000', '4809c0', '09c0', '4831c0', '31c0', '334708', '3304cf',
  // CMP, TEST
  '4839c0', '39c0', '4883f801', '83f801', '4881f800010000', '48394708', '394708', '3b4708', '3c01', '807f0801', '4885c0', '85c0', '84c0', 'a801', 'f6470801',
  // INC, DEC, NEG
  'ffc0', 'ffc8', '48ffc0', '48ffc8', 'f7d8',
  // IMUL
  '480fafc0', '0fafc0', '4869c000010000',
  // shifts and rotations by an immediate
  '48c1e803', 'c1e803', '48c1e003', 'c1e003', '48c1f803', '48d1f8', 'c1c003', 'c1c803',
  // jumps by a condition, short and near
  '7201', '7301', '7401', '7501', '7601', '7701', '7801', '7901', '7c01', '7d01', '7e01', '7f01',
  '0f8201000000', '0f8301000000', '0f8401000000', '0f8501000000', '0f8601000000', '0f8701000000', '0f8801000000', '0f8f01000000',
  // JMP, CALL, RET, PUSH, POP, LEAVE
  'eb01', 'e901000000', 'e801000000', 'c3', '50', '58', 'c9',
  // SETcc, CMOVcc, NOP
  '0f92c0', '0f94c0', '0f95c0', '480f43c0', '0f44c0', '0f1f00', '0f1f440000', '90',
] as const;

/** The bytes of an instruction in hexadecimal. */
export const bytesOf = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

export function frequentShapes(): Shape[] {
  return samples.map((hex) => {
    const bytes = bytesOf(hex);
    const decoded = decode(bytes, 64);
    if (typeof decoded === 'string') throw new Error(`${hex}: ${decoded}`);
    return shapeOf(decoded, true);
  });
}
