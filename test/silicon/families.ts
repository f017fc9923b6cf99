import { arith } from '../../src/cpu/isa/arith.ts';
import { bit } from '../../src/cpu/isa/bit.ts';
import { branch } from '../../src/cpu/isa/branch.ts';
import { fpuState } from '../../src/cpu/isa/fpu-state.ts';
import type { Instruction } from '../../src/cpu/isa/instruction.ts';
import { io } from '../../src/cpu/isa/io.ts';
import { move } from '../../src/cpu/isa/move.ts';
import { shift } from '../../src/cpu/isa/shift.ts';
import { string } from '../../src/cpu/isa/string.ts';
import { system } from '../../src/cpu/isa/system.ts';
import { vectors } from '../../src/cpu/isa/vectors.ts';
import { x87 } from '../../src/cpu/isa/x87.ts';

const ofProgram = /^(?:PUSHF|POPF|SAHF|LAHF|CMC|CLC|STC|CLD|STD|ENTER|LEAVE|[LMS]FENCE|CLFLUSH(?:OPT)?|(?:RD|WR)[FG]SBASE)$/;
/** Its operands are a guest's own on silicon too, so that only the refusal of a program's attempt can be compared. */
const refused = /^(?:CLI|STI|CLAC|STAC|HLT|CLTS|LMSW|INVLPG|LGDT|LIDT|LLDT|LTR|RDMSR|WRMSR|INVD|WBINVD|UD[012]|SWAPGS|IN|OUT|INS|OUTS)$|^MOV 0F 2[0-3]/;

const named = (from: readonly Instruction[], pattern: RegExp): Instruction[] => from.filter(({ name, encoding }) => pattern.test(name) || pattern.test(`${name} ${encoding}`));
const mmx = vectors.filter(({ operands }) => operands.some((code) => /^[PQN]/.test(code)));
const floating = vectors.filter((each) => !mmx.includes(each) && /[PS][SD]\b|[PS][SD]2|2[PS][SD]/.test(each.name));

/** What a program may use, by family. */
export const families: Readonly<Record<string, readonly Instruction[]>> = {
  arith, move, shift, bit, branch, string, flags: named(system, ofProgram), x87: [...fpuState, ...x87],
  mmx, 'sse float': floating, 'sse integer': vectors.filter((each) => !mmx.includes(each) && !floating.includes(each)),
  privileged: named([...system, ...io], refused),
};
