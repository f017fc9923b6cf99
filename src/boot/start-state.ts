/** The states that processors start in. */

import { cpuState, segmentRegisters, UNUSABLE, type SegmentRegister } from '../cpu/state.ts';
import { put } from '../lib/layout.ts';

type Register = keyof typeof cpuState.fields;
export type Registers = Partial<Record<Register, number | bigint>>;

interface Segment {
  readonly selector: number;
  readonly base: number;
  readonly limit: number;
  readonly attributes: number;
}

/** A segment of 4 GiB from 0. Attributes: present, of code and data; readable code, or writable data; accessed; the last nibble is G, D and L. */
const flat = (selector: number, attributes: number): Segment => ({ selector, base: 0, limit: 0xffffffff, attributes });
const CODE32 = 0xc09b;
const CODE64 = 0xa09b;
const DATA32 = 0xc093;
const CODE16 = 0x009b;
const DATA16 = 0x0093;
const BUSY_TSS = 0x008b;
const LDT = 0x0082;

const CR0_PE = 1;
const CR0_ET = 1 << 4;
const CR0_NE = 1 << 5;
const CR0_PG = 0x8000_0000;
const CR0_CACHE_OFF = 0x6000_0000;
const CR4_PAE = 1 << 5;
const EFER_LONG = 1 << 8 | 1 << 10;

/** What INIT and RESET leave, besides where the processor begins (SDM volume 3, table 10-1). */
const afterReset: Registers = {
  rflags: 2, cr0: CR0_ET | CR0_CACHE_OFF, dr6: 0xffff0ff0, dr7: 0x400, pat: 0x0007040600070406n, xcr0: 1, apicBase: 0xfee00900,
  gdtrLimit: 0xffff, idtrLimit: 0xffff, fcw: 0x37f, mxcsr: 0x1f80, mxcsrMask: 0xffff, miscEnable: 1,
};

function state(segments: Readonly<Record<SegmentRegister, Segment>>, registers: Registers): Uint8Array {
  const bytes = new Uint8Array(cpuState.size);
  const view = new DataView(bytes.buffer);
  const fields: Registers = { ...afterReset, ...registers };
  for (const name of segmentRegisters) {
    const { selector, base, limit, attributes } = segments[name];
    Object.assign(fields, { [`${name}Selector`]: selector, [`${name}Base`]: base, [`${name}Limit`]: limit, [`${name}Attributes`]: attributes });
  }
  for (const [name, value] of Object.entries(fields) as [Register, number | bigint][]) {
    const { offset, type } = cpuState.fields[name];
    put(view, offset, type, value);
  }
  return bytes;
}

function allSegments(code: Segment, data: Segment, task: Segment): Record<SegmentRegister, Segment> {
  return { cs: code, ds: data, es: data, ss: data, fs: data, gs: data, tr: task, ldtr: { selector: 0, base: 0, limit: 0xffff, attributes: LDT | UNUSABLE } };
}

const realData: Segment = { selector: 0, base: 0, limit: 0xffff, attributes: DATA16 };
const realTask: Segment = { selector: 0, base: 0, limit: 0xffff, attributes: BUSY_TSS };

/** Real mode at any address: with CS 0 below 64 KiB, above it with a base that need not be what the selector says, as after reset. */
export function realModeAt(address: number, registers: Registers = {}): Uint8Array {
  const base = address < 0x10000 ? 0 : address - address % 16;
  const code = { selector: base / 16 & 0xffff, base, limit: 0xffff, attributes: CODE16 };
  return state(allSegments(code, realData, realTask), { rip: address - base, ...registers });
}

/** Where a processor begins after RESET: 16 bytes below 4 GiB. RDX tells its family and model. */
export function resetState(signature = 0): Uint8Array {
  const code = { selector: 0xf000, base: 0xffff0000, limit: 0xffff, attributes: CODE16 };
  return state(allSegments(code, realData, realTask), { rip: 0xfff0, rdx: signature });
}

/** Where the descriptors of {@link descriptors} are, if a guest wants to load its selectors again. */
export const GDT = 0x500;
export const CODE_SELECTOR = 0x10;
export const DATA_SELECTOR = 0x18;
const TASK_SELECTOR = 0x20;
const task: Segment = { selector: TASK_SELECTOR, base: 0, limit: 0x67, attributes: BUSY_TSS };

/** A global descriptor table with the kernel's code, data and task at the selectors that Linux' boot protocol names. */
export function descriptors(bits: 32 | 64): Uint8Array {
  // In 64-bit mode the task's descriptor has an upper half, which is its base's.
  const segments = [undefined, undefined, flat(CODE_SELECTOR, bits === 64 ? CODE64 : CODE32), flat(DATA_SELECTOR, DATA32), task, undefined];
  const table = new BigUint64Array(segments.map((segment) => (segment === undefined ? 0n : descriptor(segment))));
  return new Uint8Array(table.buffer);
}

/** Eight bytes as SDM volume 3, figure 3-8. */
function descriptor({ base, limit, attributes }: Segment): bigint {
  const [low, high] = [BigInt(base), BigInt(limit > 0xfffff ? Math.floor(limit / 4096) : limit)];
  return high & 0xffffn | (low & 0xffffffn) << 16n | BigInt(attributes) << 40n | (high >> 16n) << 48n | (low >> 24n) << 56n;
}

const tables: Registers = { gdtrBase: GDT, gdtrLimit: 6 * 8 - 1, idtrLimit: 0 };

/** Protected mode, flat, without paging, interrupts off. {@link descriptors} of 32 bits are at {@link GDT}. */
export function protectedModeAt(address: number, registers: Registers = {}): Uint8Array {
  const segments = allSegments(flat(CODE_SELECTOR, CODE32), flat(DATA_SELECTOR, DATA32), task);
  return state(segments, { ...tables, cr0: CR0_PE | CR0_ET, rip: address, ...registers });
}

/** 64-bit mode, interrupts off, with the page tables at `cr3`. {@link descriptors} of 64 bits are at {@link GDT}. */
export function longModeAt(address: number, cr3: number, registers: Registers = {}): Uint8Array {
  const segments = allSegments(flat(CODE_SELECTOR, CODE64), flat(DATA_SELECTOR, DATA32), task);
  const cr0 = CR0_PG + (CR0_PE | CR0_ET | CR0_NE);
  return state(segments, { ...tables, cr0, cr3, cr4: CR4_PAE, efer: EFER_LONG, rip: address, ...registers });
}
