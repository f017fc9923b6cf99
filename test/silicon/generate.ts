/** Random instructions out of the processor's own table, on states that make them do something. */

import { decode, type Decoded, type MemoryOperand } from '../../src/cpu/decode.ts';
import type { Instruction } from '../../src/cpu/isa/instruction.ts';
import { encode, type Encoded } from './encode.ts';
import { base as driver, codeWindow, dataWindow } from './layout.ts';
import type { Case, Patch } from './silicon.ts';
import { integer, isDrivers, mxcsr, putExtended, putFloats, x87Control, x87Status, type Next } from './values.ts';

export interface Generated {
  readonly instruction: Instruction;
  /** Undefined where the bytes are none: LOCK where it may not stand, more than 15. */
  readonly decoded: Decoded | undefined;
  readonly case: Case;
}

/** What is decided of a case before its memory is. */
interface Setting {
  readonly rip: number;
  readonly registers: BigUint64Array;
  readonly fsBase: bigint;
  readonly gsBase: bigint;
}

/** An address of data, often at a page's end, whose neighbour may be another kind of page or none. */
function dataAddress(next: Next): bigint {
  const page = next() % 3 === 0 ? 1 + (next() % dataWindow.pages.length) : [0, 1, 3, 5][next() % 4] as number;
  if (next() % 4 === 0) return BigInt(dataWindow.address + page * 4096 - (next() % 20));
  return BigInt(dataWindow.address + (page % dataWindow.pages.length) * 4096 + (next() % 4000));
}

/** An operand's address: of data; seldom none, or where the canonical ones end. */
function operandAddress(next: Next): bigint {
  if (next() % 40 !== 0) return dataAddress(next);
  return next() % 2 === 0 ? 0x800000000000n - BigInt(next() % 20) : (BigInt(next()) << 32n) | BigInt(next());
}

/** SDM volume 2 says #UD of LOCK before these (3.2, LOCK); this silicon reads it over. */
const lockReadOver = /^(?:NOP|SWAPGS|[LMS]FENCE|(?:RD|WR)[FG]SBASE)$/;

/** CF PF AF ZF SF DF OF. */
const flags = (next: Next): number => next() & 0xcd5;

/** Undefined when the bytes have come out as something else, or reach what silicon's guest needs for itself. */
export function generate(instruction: Instruction, next: Next): Generated | undefined {
  const encoded = encode(instruction, next);
  const decoded = decode(encoded.bytes, 64);
  if (typeof decoded === 'string') return wrong(instruction, encoded, decoded === 'long', next);
  if (decoded.instruction !== instruction) return undefined;
  const setting = makeSetting(instruction, next);
  const { registers, rip } = setting;
  const bytes = encoded.bytes.slice(0, decoded.length);
  const memory: Patch[] = [];
  for (const operand of decoded.operands) {
    if (operand.kind !== 'memory') continue;
    const address = aim(operand, { decoded, encoded, bytes, setting }, next);
    if (address === undefined) return undefined;
    memory.push(...patchAt(address, next));
  }
  aimStrings(decoded, setting, next);
  if (decoded.repeat) registers[1] = BigInt(next() % 80);
  // It may have another displacement now.
  const last = decode(bytes, 64) as Decoded;
  if (reachesItself(last)) return undefined;
  return {
    instruction, decoded: last,
    case: { ...setting, code: bytes.subarray(0, codeWindow.address + codeWindow.pages * 4096 - rip), rflags: flags(next), fx: vectorState(next), memory, branches: true },
  };
}

/** More bytes than an instruction may have, or LOCK where it must not be. What is wrong otherwise may be an instruction of silicon's that is not in the table. */
function wrong(instruction: Instruction, { bytes, unlocked }: Encoded, isLong: boolean, next: Next): Generated | undefined {
  const right = unlocked && decode(unlocked, 64);
  // KVM tries again what is too long and takes a NOP for one: it never reads its displacement.
  const long = isLong && instruction.name !== 'NOP';
  if (!long && (right === undefined || typeof right === 'string' || right.instruction !== instruction || lockReadOver.test(instruction.name))) return undefined;
  const setting = makeSetting(instruction, next);
  const length = long || right === undefined || typeof right === 'string' ? 15 : right.length + 1;
  const code = bytes.slice(0, Math.min(length, codeWindow.address + codeWindow.pages * 4096 - setting.rip));
  return { instruction, decoded: undefined, case: { ...setting, code, rflags: flags(next), branches: true } };
}

function makeSetting({ name }: Instruction, next: Next): Setting {
  const registers = new BigUint64Array(16);
  for (let number = 0; number < 16; number++) registers[number] = integer(next);
  registers[4] = next() % 64 === 0 ? operandAddress(next) : next() % 8 === 0 ? dataAddress(next) : dataAddress(next) & ~7n;
  if (name === 'LEAVE') registers[5] = dataAddress(next);
  const room = codeWindow.pages * 4096 - 16;
  const rip = codeWindow.address + (next() % 8 === 0 ? 4096 - (next() % 16) : next() % room);
  return { rip, registers, fsBase: segmentBase(next), gsBase: segmentBase(next) };
}

/** Small, or anywhere below the data or in the upper half. */
function segmentBase(next: Next): bigint {
  switch (next() % 4) {
    case 0: return 0n;
    case 1: return BigInt(next() % dataWindow.address);
    case 2: return BigInt.asUintN(64, -BigInt(next()));
    default: return BigInt(next() % 64);
  }
}

interface Aimed {
  readonly decoded: Decoded;
  readonly encoded: Encoded;
  /** Of the instruction; a displacement without a base is written into them. */
  readonly bytes: Uint8Array;
  readonly setting: Setting;
}

/** Makes a memory operand lie in the window, nearly always. Gives its linear address; undefined when it can't be known or is silicon's guest's own. */
function aim(operand: MemoryOperand, aimed: Aimed, next: Next): bigint | undefined {
  const { registers } = aimed.setting;
  const { base } = operand;
  if (typeof base !== 'number' || base === operand.index) {
    if (base !== undefined && base !== 'rip') return clear(addressOf(operand, aimed));
    return next() % 16 === 0 ? clear(addressOf(operand, aimed)) : displace(operand, aimed, wantedAddress(operand, aimed, next));
  }
  if (next() % 20 === 0) return clear(addressOf(operand, aimed));
  const offset = wantedAddress(operand, aimed, next) - segmentOf(operand, aimed.setting);
  const index = operand.index === undefined ? 0n : (registers[operand.index] as bigint) << BigInt(operand.scale);
  const found = BigInt.asUintN(64, offset - operand.displacement - index);
  // What is above the address size does not count.
  registers[base] = aimed.decoded.addressSize === 32 && next() % 2 === 0 ? found ^ (BigInt(next()) << 32n) : found;
  return clear(addressOf(operand, aimed));
}

const clear = (address: bigint): bigint | undefined => (isDrivers(address) ? undefined : address);

const isCanonical = (address: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, address)) === address;

function segmentOf({ segment }: MemoryOperand, { fsBase, gsBase }: Setting): bigint {
  return segment === 'fs' ? fsBase : segment === 'gs' ? gsBase : 0n;
}

/** Most of what has to be aligned is. */
function wantedAddress({ width }: MemoryOperand, { decoded: { instruction } }: Aimed, next: Next): bigint {
  const aligned = instruction.unit === 'sse' && width === 128 && next() % 8 !== 0;
  return operandAddress(next) & (aligned ? ~15n : -1n);
}

/** As the processor reckons it. */
function addressOf(operand: MemoryOperand, { decoded: { addressSize, length }, setting }: Aimed): bigint {
  const { base, index, scale, displacement } = operand;
  const from = base === 'rip' ? BigInt(setting.rip + length) : base === undefined ? 0n : (setting.registers[base] as bigint);
  const added = index === undefined ? 0n : (setting.registers[index] as bigint) << BigInt(scale);
  const offset = BigInt.asUintN(addressSize, from + added + displacement);
  const linear = BigInt.asUintN(64, offset + segmentOf(operand, setting));
  // Where an offset alone would be no address, this silicon says #GP whatever the segment's base makes of it; the manuals ask for the sum alone.
  return isCanonical(offset) || !isCanonical(linear) ? linear : BigInt(driver);
}

/** Writes the displacement of an operand without a base register: behind ModRM and SIB, or, of MOV to and from an address, behind the opcode. */
function displace(operand: MemoryOperand, aimed: Aimed, wanted: bigint): bigint | undefined {
  const { bytes, decoded: { addressSize, length }, encoded: { modrm } } = aimed;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const distance = wanted - addressOf({ ...operand, displacement: 0n }, aimed);
  const wide = modrm === undefined && addressSize === 64;
  const at = modrm === undefined ? length - addressSize / 8 : modrm + (operand.base === 'rip' ? 1 : 2);
  if (wide) view.setBigUint64(at, BigInt.asUintN(64, distance), true);
  else view.setUint32(at, Number(BigInt.asUintN(32, distance)), true);
  return clear(addressOf({ ...operand, displacement: wide ? distance : BigInt.asIntN(32, distance) }, aimed));
}

/** RSI and RDI, and RBX for XLAT, unless an operand is addressed by them. */
function aimStrings({ instruction, operands }: Decoded, { registers }: Setting, next: Next): void {
  const based = operands.map((each) => (each.kind === 'memory' ? each.base : undefined));
  for (const number of instruction.name === 'XLAT' ? [3] : [6, 7]) if (next() % 2 === 0 && !based.includes(number)) registers[number] = dataAddress(next);
  if (instruction.repeat !== undefined) for (const number of [6, 7]) if (next() % 16 !== 0) registers[number] = dataAddress(next);
}

/** Whether a jump leads into its own bytes, which silicon goes on with. */
function reachesItself({ operands, instruction, length }: Decoded): boolean {
  const [operand] = operands;
  if (operand?.kind !== 'immediate' || !(instruction.operands[0] ?? '').startsWith('J')) return false;
  const distance = BigInt.asIntN(64, operand.value);
  return distance < 0n && distance >= -BigInt(length);
}

/** Bytes for an operand at an address, where a case may put some; up to the page's end. */
function patchAt(address: bigint, next: Next): Patch[] {
  const offset = Number(address) - dataWindow.address;
  if (next() % 8 === 0 || offset < 0 || offset >= dataWindow.pages.length * 4096 || ['absent', 'supervisor'].includes(dataWindow.pages[offset >> 12] as string)) return [];
  const bytes = new Uint8Array(64);
  const words = new Uint32Array(bytes.buffer);
  for (let at = 0; at < 16; at++) words[at] = next();
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < 64; at += 16) {
    const kind = next() % 4;
    if (kind < 2) putFloats(view, at, next);
    else if (kind === 2) putExtended(view, at, next);
  }
  return [{ address: Number(address), bytes: bytes.subarray(0, Math.min(64, 4096 - (offset % 4096))) }];
}

/** x87, MMX and SSE. */
function vectorState(next: Next): Uint8Array {
  const fx = new Uint8Array(512);
  const view = new DataView(fx.buffer);
  for (let at = 32; at < 160; at += 16) {
    if (next() % 4 !== 0) putExtended(view, at, next);
    else {
      view.setUint32(at, next(), true);
      view.setUint32(at + 4, next(), true);
      view.setUint16(at + 8, next() % 2 === 0 ? 0xffff : next(), true);
    }
  }
  for (let at = 160; at < 416; at += 16) {
    if (next() % 4 !== 0) putFloats(view, at, next);
    else for (let word = 0; word < 16; word += 4) view.setUint32(at + word, next(), true);
  }
  const control = x87Control(next);
  view.setUint16(0, control, true);
  view.setUint16(2, x87Status(next, control), true);
  view.setUint8(4, next() % 3 === 0 ? 0xff : next());
  view.setUint32(24, mxcsr(next), true);
  return fx;
}
