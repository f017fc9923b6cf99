/** Loops of random instructions out of the processor's own table, with jumps among them. */

import { pick, type Random } from '../../fuzz/support/generator.ts';
import { decode, type CodeSize, type Decoded } from '../../src/cpu/decode.ts';
import { parseEncoding, type Instruction } from '../../src/cpu/isa/instruction.ts';

/** One of these that decodes as itself, whatever it does. */
function randomInstruction(from: readonly Instruction[], random: Random, size: CodeSize): Uint8Array {
  for (;;) {
    const wanted = pick(from, random);
    const pattern = parseEncoding(wanted.encoding);
    const bytes: number[] = [];
    if (pattern.prefix !== undefined && pattern.prefix !== 'NP') bytes.push(Number.parseInt(pattern.prefix, 16));
    else if (random(8) === 0) bytes.push(0x66);
    if (random(24) === 0) bytes.push(pick([0x64, 0x67, 0x2e], random));
    if (size === 64 && random(2) === 0) bytes.push(0x40 | random(16));
    bytes.push(...[[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][pattern.map] as number[], pattern.opcode + random(pattern.span));
    if (pattern.modrm) bytes.push((random(2) === 0 ? 0xc0 : random(3) << 6) | ((pattern.reg ?? random(8)) << 3) | random(8));
    // Small distances most of the time, so that addresses stay where memory is.
    while (bytes.length < 15) bytes.push(random(3) === 0 ? random(256) : 0);
    const code = Uint8Array.from(bytes);
    const decoded = decode(code, size);
    if (typeof decoded !== 'string' && decoded.instruction === wanted && !repeats(decoded)) return code.subarray(0, decoded.length);
  }
}

/** Whoever counts with RCX may not come to an end. */
const repeats = ({ repeat }: Decoded): boolean => repeat !== undefined;

/** Instructions, some of them jumped over, ended by a jump to the first one; behind it is HLT. At most 120 bytes. */
export function randomLoop(from: readonly Instruction[], random: Random, size: CodeSize): Uint8Array {
  for (;;) {
    const parts: Uint8Array[] = [];
    const count = 2 + random(8);
    while (parts.length < count) {
      const one = randomInstruction(from, random, size);
      if (random(4) === 0) parts.push(Uint8Array.of(0x70 + random(16), one.length));
      parts.push(one);
      if (random(24) === 0) parts.push(Uint8Array.of(0x70 + random(16), 0x100 - 2 - one.length));
    }
    const body = parts.flatMap((part) => [...part]);
    const back = 0x100 - body.length - 2;
    if (back < 0x88) continue;
    const end = pick([[0xeb, back], [0x70 + random(16), back], [0xe0 + random(3), back]], random);
    return Uint8Array.from([...body, ...end, 0xf4]);
  }
}
