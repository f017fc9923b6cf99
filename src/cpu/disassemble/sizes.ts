/** To which instructions the operand size means something: then a prefix that sets it has a part in them, and is not shown. */

import type { CodeSize, Decoded } from '../decode.ts';

/** What takes its size from the mode or a prefix, without an operand that shows it. */
const sizedAlone = new RegExp([
  'CBW|CWD|PUSH[AF]?|POP[AF]?|LEAVE|ENTER|IRET|RETF?|CALL|JMP|J[A-Z]+|LOOP(?:N?E)?|MOVS|CMPS|STOS|LODS|SCAS|INS|OUTS|IN|OUT',
  'FNSTENV|FLDENV|FNSAVE|FRSTOR|LES|LDS|LSS|LFS|LGS|BOUND',
].map((names) => `^(?:${names})$`).join('|'));
/** Opcodes of theirs that are for bytes, or whose distance is one. */
const byteForms = /^(?:A4|A6|AA|AC|AE|6C|6E|E4|E6|EC|EE|7[0-9A-F]|EB|E[0-3])$/;
/** What REX.W widens besides those with an operand. */
const widenedAlone = /^(?:CBW|CWD|IRET|RETF|SYSRET|SYSEXIT|MOVS|CMPS|STOS|LODS|SCAS|CMPXCHG8B|FXSAVE|FXRSTOR|LSS|LFS|LGS|P?MOVMSK.*|PCMPESTR[IM])$/;
/** Descriptor tables have one size in 64-bit mode. */
const tables = /^[LS][GI]DT$/;

/** XCHG of the accumulator with itself, and CLFLUSHOPT, which is CLFLUSH here. */
const besides: ReadonlySet<string> = new Set(['90', '0F AE /7 mem']);

/** A segment register loaded from a register is shown with as much of that as the operand size says. */
const loadsSegment = ({ instruction: { encoding }, operands }: Decoded): boolean => encoding === '8E /r' && operands.every(({ kind }) => kind === 'register');

/** Whether the prefix 66 has a part in it as the operand size. */
export function takesSize(decoded: Decoded, codeSize: CodeSize): boolean {
  const { name, encoding, operands: codes } = decoded.instruction;
  if (codes.some((code) => /^(?:[EGRZIM]v|rAX|I[sz]|Ov|[EGRM]z|Jz)$/.test(code)) || loadsSegment(decoded) || besides.has(encoding)) return true;
  return (sizedAlone.test(name) && !byteForms.test(encoding)) || (tables.test(name) && codeSize !== 64);
}

/** Whether REX.W has. */
export function takesWide(decoded: Decoded): boolean {
  const { name, encoding, operands: codes, default64 } = decoded.instruction;
  if (default64 !== undefined || name === 'RDPID') return false;
  return codes.some((code) => /^[EGRZMOI][vyz]$|^Is$|^rAX$/.test(code)) || (widenedAlone.test(name) && !byteForms.test(encoding)) || loadsSegment(decoded);
}
