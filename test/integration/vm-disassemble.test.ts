// What the disassembler says of every form of the instruction table, beside what GNU objdump says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CodeSize } from '../../src/cpu/decode.ts';
import { disassemble } from '../../src/cpu/disassemble/disassemble.ts';
import { instructions } from '../../src/cpu/isa/index.ts';
import { parseEncoding, type Instruction } from '../../src/cpu/isa/instruction.ts';
import { randomNumbers } from '../silicon/random.ts';

const skip = spawnSync('objdump', ['--version']).status === 0 ? false : 'there is no objdump: install binutils';

/** Each sample is this long, and behind its bytes are NOPs: whatever objdump makes of it, the next begins anew. */
const room = 30;
const machines = { 16: 'i8086', 32: 'i386', 64: 'i386:x86-64' } as const;

function padded(samples: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(samples.length * room).fill(0x90);
  for (const [at, sample] of samples.entries()) all.set(sample, at * room);
  return all;
}

interface Line {
  readonly length: number;
  readonly text: string;
}

/** objdump's first line of each sample. */
function objdump(samples: readonly Uint8Array[], codeSize: CodeSize): Line[] {
  const folder = mkdtempSync(join(tmpdir(), 'delos-objdump-'));
  try {
    const file = join(folder, 'code');
    writeFileSync(file, padded(samples));
    const { stdout } = spawnSync('objdump', ['-D', '-z', '-w', '-b', 'binary', '-m', machines[codeSize], '-M', 'intel', file], { encoding: 'utf8', maxBuffer: 2 ** 30 });
    const lines = [...stdout.matchAll(/^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+) *\t?(.*)$/gm)];
    return lines.flatMap(([, at = '', bytes = '', text = '']) => {
      return Number.parseInt(at, 16) % room === 0 ? [{ length: bytes.trim().split(' ').length, text: text.trimEnd() }] : [];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Operands in a register, with a distance of 1 and 4 bytes, with an index, relative to RIP or alone, with an index that is none. */
const modrms: readonly (readonly number[])[] = [[0xc1], [0xec], [0x0b], [0x4d, 0xf8], [0x91, 0x44, 0x33, 0x22, 0x91], [0x44, 0x9e, 0x10], [0x05, 0x78, 0x56, 0x34, 0x12], [0x04, 0x24], [0x15, 0x90, 0xff, 0xff, 0xff]];
const prefixSets: Readonly<Record<CodeSize, readonly (readonly number[])[]>> = {
  16: [[], [0x66], [0x67]], 32: [[], [0x66], [0x67], [0x64]], 64: [[], [0x66], [0x48], [0x45], [0x65]],
};
const behind = [0xf0, 0x56, 0x34, 0x82, 0x11, 0x22, 0x33, 0x44];

/** The bytes of one row of the table, with each sort of operand. */
function samplesOf({ encoding, mode }: Instruction, codeSize: CodeSize): Uint8Array[] {
  if (mode !== undefined && (mode === 'long') !== (codeSize === 64)) return [];
  const { map, opcode, span, prefix, modrm, reg, rm, exact } = parseEncoding(encoding);
  const escape = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][map] as number[];
  const forced = prefix === undefined || prefix === 'NP' ? [] : [Number.parseInt(prefix, 16)];
  const operands = !modrm ? [[]] : exact !== undefined ? [[exact[0]], [exact[1]]]
    : modrms.filter(([first = 0]) => rm === undefined || (first >= 0xc0) === (rm === 'reg')).map(([first = 0, ...rest]) => [reg === undefined ? first : (first & 0xc7) | (reg << 3), ...rest]);
  return (span === 8 ? [0, 3] : [0]).flatMap((number) => operands.flatMap((operand) => (
    prefixSets[codeSize].filter((set) => !(prefix !== undefined && set[0] === 0x66)).map((set) => {
      const [rex, others] = codeSize === 64 && set[0] !== undefined && set[0] >> 4 === 4 ? [set, []] : [[], set];
      return Uint8Array.from([...others, ...forced, ...rex, ...escape, opcode + number, ...operand, ...behind].slice(0, 15));
    })
  )));
}

/**
 * Where objdump speaks of another processor than ours: it has MPX where ours has a NOP, WAITPKG beside MFENCE, no instruction where x87 has one
 * twice; it has control registers that are not there, AMD's far pointers behind REX.W, and MOVSXD with 66 as if that were nothing. A short
 * branch with 66, whose target is cut to 16 bits, it does not cut. Prefixes before FWAIT it shows as lines of their own.
 */
const others = [
  /bnd(?:mov|ldx|stx|mk|c)/, /[ut]mwait|tpause/, /\(bad\)/, /\b(?:cr(?:1|[5-79]|1\d)|dr(?:[89]|1\d))\b/, /^(?:rex\.W )?(?:l[sfg]s|jmp|call) .*FWORD/,
  /^rex.RB pause$/, /^data16 (?:j|loop)/, /(?:^| )(?:rex\S*|data16|addr16|addr32|[fg]s)$/, /^movsxd [a-d]x,|^movsxd [sb]p,/,
];

const spaced = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').replace(/..(?=.)/g, '$& ');

for (const codeSize of [16, 32, 64] as const) {
  test(`every form of the table in ${codeSize}-bit code reads as objdump has it`, { skip }, () => {
    const samples = instructions.flatMap((each) => samplesOf(each, codeSize)).filter((_, at) => at % 3 === 0);
    const theirs = objdump(samples, codeSize);
    assert.equal(theirs.length, samples.length);
    const wrong = samples.flatMap((sample, at) => {
      const { text, length } = disassemble(sample, BigInt(at * room), codeSize);
      const their = theirs[at] as Line;
      return others.some((pattern) => pattern.test(their.text)) || (text === their.text && length === their.length) ? [] : [`${spaced(sample.subarray(0, Math.max(length, their.length)))}: ${text} | ${their.text}`];
    });
    assert.deepEqual(wrong, []);
  });

  test(`random bytes in ${codeSize}-bit code: never an error, and as long as objdump has them`, { skip }, () => {
    const next = randomNumbers(codeSize);
    const samples = Array.from({ length: 6000 }, () => Uint8Array.from({ length: 15 }, () => next() & 0xff));
    const theirs = objdump(samples, codeSize);
    let compared = 0;
    const wrong = samples.flatMap((sample, at) => {
      const { text, length } = disassemble(sample, BigInt(at * room), codeSize);
      const their = theirs[at] as Line;
      assert.ok(length >= 1 && length <= 15, text);
      if (/\(bad\)|fwait/.test(text) || others.some((pattern) => pattern.test(their.text))) return [];
      compared++;
      return length === their.length ? [] : [`${spaced(sample)}: ${length} ${text} | ${their.length} ${their.text}`];
    });
    assert.deepEqual(wrong, []);
    assert.ok(compared > 3000, `${compared} compared`);
  });
}
