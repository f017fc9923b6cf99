/**
 * One form of one instruction: how it is encoded, what its operands are, what it does. Everything else about it is derived.
 *
 * `encoding` is the SDM's notation (volume 2, 3.1.1.1) as far as it decides which instruction this is:
 *   [NP | 66 | F2 | F3] opcode bytes [/r | /0 to /7] [reg | mem] [+r]
 *   NP      with none of the prefixes 66, F2 and F3; where nothing is said, 66 is the operand size and F2 and F3 mean nothing
 *   /r      a ModRM byte follows; /n with n in its reg field; `reg` and `mem` say which kind its r/m field has to be
 *   0F 01 F8  a third byte behind a two-byte opcode is the whole ModRM byte; for x87 a second one, D9 E8, or a range of eight, D8 C0+i
 *   +r      the opcode's low three bits are a register
 *
 * `operands` are codes of the SDM's opcode map (volume 2, appendix A.2), comma separated:
 *   E general register or memory · M memory · R general register by r/m · G general register by reg · Z general register by +r
 *   I immediate (Is: a byte, sign-extended to the operand size) · J relative target · O memory at an address in the instruction
 *   S C D segment, control, debug register by reg · AL CL DX rAX fixed registers · 1 the number
 *   V xmm by reg · W xmm or memory · U xmm by r/m · P Q N the same for MMX · ST STi x87
 * with sizes b 8, w 16, d 32, q 64, x 128, v the operand size, z at most 32 of it, y 32 or 64, s for a sign-extended byte;
 * t is 80 bits of memory, p a far pointer; a memory operand without a size (M) is only an address.
 */

import type { Builder, Operand } from '../builder.ts';

export type Meaning = (b: Builder, ...operands: Operand[]) => void;

export interface Traits {
  /** LOCK is allowed when its destination is memory. */
  readonly lock?: boolean;
  /** Only there in 64-bit mode, or only outside of it: elsewhere an invalid opcode. */
  readonly mode?: 'long' | 'legacy';
  /** In 64-bit mode the operand size is 64 without REX.W, and 32 can't be had: pushes and pops; `always` for near branches, which 66 does not change. */
  readonly default64?: 'default' | 'always';
  /** A string instruction that is repeated with REP, or as long as ZF says with REPE and REPNE. */
  readonly repeat?: 'count' | 'zero';
  /** The least privileged level that may run it, where the processor decides so before all else. */
  readonly privileged?: boolean;
  /** Ends a run of records: jumps, and what changes the mode or what comes next. */
  readonly ends?: boolean;
  /** A memory operand based on RSP counts it as it is behind the pop. */
  readonly addressAfterPop?: boolean;
  /** With REX.B these bytes are another instruction. */
  readonly withoutRexB?: boolean;
  /** What it uses; an #NM or #UD can come before all else. */
  readonly unit?: 'x87' | 'mmx' | 'sse';
  /** Flags that it leaves undefined, which a comparison with silicon does not look at; C1 of x87, where the direction of its rounding is not promised. */
  readonly undefinedFlags?: string;
}

export interface Instruction extends Traits {
  readonly name: string;
  readonly encoding: string;
  readonly operands: readonly string[];
  readonly meaning: Meaning;
}

/** @param operands comma separated codes, '' for none */
export function instruction(name: string, encoding: string, operands: string, meaning: Meaning, traits: Traits = {}): Instruction {
  return { name, encoding, operands: operands === '' ? [] : operands.split(','), meaning, ...traits };
}

/** What an encoding asks of an instruction's bytes. */
export interface Pattern {
  /** 0 one byte, 1 behind 0F, 2 behind 0F 38, 3 behind 0F 3A. */
  readonly map: 0 | 1 | 2 | 3;
  /** The first opcode byte that has it, and how many in a row do (8 with +r). */
  readonly opcode: number;
  readonly span: 1 | 8;
  readonly prefix: 'NP' | '66' | 'F2' | 'F3' | undefined;
  readonly modrm: boolean;
  /** What the reg field has to be, and the kind of the r/m field. */
  readonly reg: number | undefined;
  readonly rm: 'reg' | 'mem' | undefined;
  /** The whole ModRM byte: from, to. */
  readonly exact: readonly [number, number] | undefined;
}

const hex = /^[0-9A-F]{2}$/;

/** @throws Error for an encoding in another notation: our own mistake */
export function parseEncoding(encoding: string): Pattern {
  const words = encoding.split(' ');
  const prefix = /^(?:NP|66|F2|F3)$/.test(words[0] ?? '') && words.length > 1 && hex.test(words[1] ?? '') ? (words.shift() as Pattern['prefix']) : undefined;
  const bytes: number[] = [];
  while (hex.test(words[0] ?? '')) bytes.push(Number.parseInt(words.shift() ?? '', 16));
  const map = bytes[0] !== 0x0f ? 0 : bytes[1] === 0x38 && bytes.length > 2 ? 2 : bytes[1] === 0x3a && bytes.length > 2 ? 3 : 1;
  const rest = bytes.slice([0, 1, 2, 2][map]);
  const opcode = rest.shift();
  let exact: Pattern['exact'] = rest.length === 1 ? [rest[0] as number, rest[0] as number] : undefined;
  const range = /^([0-9A-F]{2})\+i$/.exec(words[0] ?? '');
  if (range) {
    const first = Number.parseInt(range[1] as string, 16);
    exact = [first, first + 7];
    words.shift();
  }
  const slash = words.find((word) => /^\/[0-7r]$/.test(word));
  const rm = words.find((word) => word === 'reg' || word === 'mem') as Pattern['rm'];
  const span = words.includes('+r') ? 8 : 1;
  if (opcode === undefined || rest.length > 1 || words.length !== [slash, rm, span === 8 ? 1 : undefined].filter((part) => part !== undefined).length) {
    throw new Error(`an encoding in no known notation: ${encoding}`);
  }
  const reg = slash === undefined || slash === '/r' ? undefined : Number(slash[1]);
  return { map, opcode, span, prefix, modrm: slash !== undefined || exact !== undefined, reg, rm, exact };
}
