/** What a handler is made for: an instruction with everything that is known of it before it runs, except what stands in its record. */

import type { Segment, Width } from '../builder.ts';
import type { Bank, Decoded, DecodedOperand } from '../decode.ts';
import type { Instruction } from '../isa/instruction.ts';

/**
 * How an address comes about: `base` and `index` are 64-bit mode's common ones, base + displacement and with an index, without a segment;
 * `absolute` is an address of 64 bits in the place of the immediate; `general` is everything else, through the runtime.
 */
export type AddressForm = 'base' | 'index' | 'absolute' | 'general';

export type OperandShape =
  /** `slot` counts the record's registers; segment, control and debug registers are known by their number. */
  | { readonly kind: 'register'; readonly bank: Bank; readonly width: Width; readonly slot: number; readonly number: number | undefined }
  | { readonly kind: 'memory'; readonly width: Width | 0; readonly form: AddressForm }
  /** `second`: in the place of the displacement, sign-extended from 32 bits. */
  | { readonly kind: 'immediate'; readonly width: Width; readonly second: boolean };

export interface Shape {
  readonly instruction: Instruction;
  readonly operandSize: 16 | 32 | 64;
  readonly addressSize: 16 | 32 | 64;
  readonly long: boolean;
  readonly repeat: 'rep' | 'repne' | undefined;
  /** Memory without an operand (strings) is in a segment with a base. */
  readonly based: boolean;
  readonly operands: readonly OperandShape[];
}

const systemBanks: readonly Bank[] = ['segment', 'control', 'debug'];

const withoutBase: readonly (Segment | undefined)[] = [undefined, 'es', 'cs', 'ss', 'ds'];

export function shapeOf(decoded: Decoded, long: boolean): Shape {
  let registers = 0;
  let immediates = 0;
  const operands = decoded.operands.map((operand): OperandShape => {
    const width = operand.width as Width;
    if (operand.kind === 'register') return { kind: 'register', bank: operand.bank, width, slot: registers++, number: systemBanks.includes(operand.bank) ? operand.number : undefined };
    if (operand.kind === 'immediate') return { kind: 'immediate', width, second: immediates++ > 0 };
    return { kind: 'memory', width: width as Width | 0, form: addressForm(decoded, operand, long) };
  });
  const { instruction, operandSize, addressSize, repeat } = decoded;
  return { instruction, operandSize, addressSize, long, repeat, based: !withoutBase.includes(decoded.segment), operands };
}

function addressForm({ addressSize }: Decoded, operand: DecodedOperand & { kind: 'memory' }, long: boolean): AddressForm {
  if (operand.displacement !== BigInt.asIntN(32, operand.displacement)) return 'absolute';
  if (!long || addressSize !== 64 || !withoutBase.includes(operand.segment)) return 'general';
  return operand.index === undefined ? 'base' : 'index';
}

const banks: readonly Bank[] = ['general', 'xmm', 'st', 'mmx', 'segment', 'control', 'debug'];
const forms: readonly AddressForm[] = ['base', 'index', 'absolute', 'general'];
const repeats = [undefined, 'rep', 'repne'] as const;
/** Of an operand in a key. */
const operandBits = 2 ** 8;

/** One number for each kind of operand, below {@link operandBits}: an immediate is 1, a form of memory 2 to 5, a register what is above. */
function operandKey(operand: OperandShape): number {
  if (operand.kind === 'immediate') return 1;
  if (operand.kind === 'memory') return 2 + forms.indexOf(operand.form);
  return 8 + banks.indexOf(operand.bank) + 8 * ((operand.number ?? -1) + 1);
}

/** Two shapes of one instruction that have one key have one handler. */
export function shapeKey({ operandSize, addressSize, long, repeat, based, operands }: Shape): number {
  // 16, 32 and 64 are 1, 2 and 4 sixteenths.
  let key = (operandSize >> 4) | ((addressSize >> 4) << 3) | ((long ? 1 : 0) << 6) | ((based ? 1 : 0) << 7) | (repeats.indexOf(repeat) << 8);
  for (const operand of operands) key = key * operandBits + operandKey(operand);
  return key;
}
