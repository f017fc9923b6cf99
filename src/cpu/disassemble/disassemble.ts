/**
 * Bytes to lines of assembly, from the instruction table by its decoder: what the processor runs is what is shown. The dress is that of GNU
 * objdump with `-M intel`. Works in a browser: nothing of Node here.
 */

import { decode, type CodeSize, type Decoded } from '../decode.ts';
import { encodedOf } from './encoded.ts';
import { hex, operandText } from './intel.ts';
import { mnemonicOf } from './mnemonic.ts';
import { shownOperands, type ShownOperand } from './operands.ts';
import { prefixNames } from './prefixes.ts';

export interface Disassembled {
  /** In bytes; of what is no instruction, as much as is passed over. */
  readonly length: number;
  /** `rep`, `lock`, `data16`: what stands before the mnemonic. */
  readonly prefixes: readonly string[];
  /** `(bad)` for what is no instruction of this processor, `.byte` for the beginning of one that is cut off. */
  readonly mnemonic: string;
  /** Behind the mnemonic, comma separated; '' for none. */
  readonly operands: string;
  /** Where a branch goes, or what an operand relative to RIP is at. */
  readonly target: bigint | undefined;
  /** The whole line, with the target of an operand relative to RIP behind a #. */
  readonly text: string;
}

/** The mnemonic's column. */
const column = 6;
const longest = 15;

/**
 * The instruction that `bytes` begin with.
 * @param bytes at least one; up to 15 are looked at
 * @param address where the first of them is, for branches
 */
export function disassemble(bytes: Uint8Array, address: bigint, codeSize: CodeSize): Disassembled {
  const decoded = decode(bytes.subarray(0, longest), codeSize);
  const encoded = encodedOf(bytes, codeSize);
  if (decoded === 'short') return line(1, [], '.byte', hex(BigInt(bytes[0] ?? 0)));
  if (decoded === 'invalid' || decoded === 'long') return line(Math.min(encoded.prefixes.length + 1, bytes.length, longest), [], '(bad)', '');
  const next = address + BigInt(decoded.length);
  const mnemonic = mnemonicOf(decoded, encoded, codeSize);
  const shown = isBare(mnemonic) ? [] : shownOperands(decoded, next, codeSize, encoded).map((operand) => ofHint(operand, mnemonic));
  const text = shown.map((operand) => operandText(operand, decoded, encoded, codeSize)).join(',');
  return line(decoded.length, prefixNames(decoded, encoded, codeSize, isHint(mnemonic)), mnemonic, text, targetOf(shown, next, decoded));
}

const isBare = (mnemonic: string): boolean => mnemonic.startsWith('endbr');

const isHint = (mnemonic: string): boolean => /^(?:prefetch|cldemote)/.test(mnemonic);

/** A hint does not say how much it is about. */
function ofHint(operand: ShownOperand, mnemonic: string): ShownOperand {
  return operand.kind === 'memory' && isHint(mnemonic) ? { ...operand, width: 8 } : operand;
}

function targetOf(operands: readonly ShownOperand[], next: bigint, { addressSize }: Decoded): Target {
  for (const operand of operands) {
    if (operand.kind === 'target') return { address: operand.address, told: false };
    if (operand.kind === 'memory' && operand.base === 'rip') return { address: BigInt.asUintN(addressSize, next + operand.displacement), told: true };
  }
  return undefined;
}

type Target = { readonly address: bigint; readonly told: boolean } | undefined;

function line(length: number, prefixes: readonly string[], mnemonic: string, operands: string, target?: Target): Disassembled {
  const before = prefixes.map((name) => `${name} `).join('');
  const name = operands === '' ? mnemonic : `${(before + mnemonic).padEnd(column).slice(before.length)} `;
  const comment = target?.told === true ? `        # ${hex(target.address)}` : '';
  return { length, prefixes, mnemonic, operands, target: target?.address, text: `${before}${name}${operands}${comment}` };
}

