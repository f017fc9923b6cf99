/** A processor with some memory, for tests of what it does in each mode. */

import { floatBytes } from './float-module.ts';
import { Interpreter } from '../../src/cpu/interpreter/interpreter.ts';
import { RESERVED } from '../../src/cpu/layout.ts';
import type { Outside } from '../../src/cpu/system/processor.ts';

const size = 16 << 20;
const pages = (RESERVED + size) / 65536;

export interface Bench {
  readonly cpu: Interpreter;
  readonly memory: DataView;
  /** Values written to ports, as `port:bytes=value` in hexadecimal. */
  readonly writes: string[];
  /** What the interrupt pin and its acknowledgement give. */
  interrupt: number | undefined;
  load(address: number, bytes: string): void;
  qword(address: number): bigint;
}

/**
 * @param overrides of what the processor finds outside; ports read as `readPort` says, by default 0x5a5a5a5a
 * @param translates whether hot loops are
 */
export function createBench(overrides: Partial<Outside> = {}, translates = true): Bench {
  const limits = { initial: pages, maximum: pages, shared: true };
  const shared = new WebAssembly.Memory(limits);
  const writes: string[] = [];
  const outside: Outside = {
    readPort: (_port, bytes) => 0x5a5a5a5a & (2 ** (8 * bytes) - 1),
    writePort: (port, bytes, value) => { writes.push(`${port.toString(16)}:${bytes}=${value.toString(16)}`); },
    readMemory: () => 0xffffffff, writeMemory: () => undefined, cpuid: () => [0, 0, 0, 0], timestamp: () => 0x123456789an, readMsr: () => undefined,
    writeMsr: () => false, taskPriority: 0, ...overrides,
  };
  const memory = new DataView(shared.buffer, RESERVED, size);
  const bench: Bench = {
    memory, writes, interrupt: undefined,
    cpu: new Interpreter({
      memory: shared, limits, outside, translates, float: floatBytes, regions: [{ guestAddress: 0, size, offset: RESERVED, readOnly: false }],
      interrupts: {
        pending: () => bench.interrupt !== undefined,
        acknowledge: () => {
          const vector = bench.interrupt ?? 0;
          bench.interrupt = undefined;
          return vector;
        },
      },
    }),
    load: (address, bytes) => bytes.trim().split(/\s+/).forEach((byte, at) => memory.setUint8(address + at, Number.parseInt(byte, 16))),
    qword: (address) => memory.getBigUint64(address, true),
  };
  return bench;
}

export const GDT = 0x5000;
export const IDT = 0x6000;
export const TASK = 0x7000;
export const TABLES = 0x10000;
export const CODE = 0x20000;
export const HANDLERS = 0x30000;
export const STACK = 0x40000;
export const INNER_STACK = 0x48000;
export const USER_STACK = 0x50000;

/** Selectors of the table that {@link flatDescriptors} has. */
export const selectors = { code64: 0x08, data: 0x10, code32: 0x18, code16: 0x20, userCode32: 0x2b, userData: 0x33, userCode64: 0x3b, task: 0x40, data16: 0x50 } as const;

/** Null, 64-bit code, data, 32-bit code, 16-bit code, user's 32-bit code, data and 64-bit code, the task (16 bytes), 16-bit data. */
function writeDescriptors(memory: DataView, taskType: number): void {
  const table = [
    0n, 0x00af9a000000ffffn, 0x00cf92000000ffffn, 0x00cf9a000000ffffn, 0x00009a000000ffffn, 0x00cffa000000ffffn, 0x00cff2000000ffffn, 0x00affa000000ffffn,
    0x0000800000000067n | (BigInt(TASK) << 16n) | (BigInt(taskType) << 40n), 0n, 0x000092000000ffffn,
  ];
  table.forEach((entry, at) => memory.setBigUint64(GDT + 8 * at, entry, true));
}

/** Gates of all vectors to HLT instructions 16 bytes apart at {@link HANDLERS}. */
function writeGates(memory: DataView, selector: number, long: boolean): void {
  for (let vector = 0; vector < 256; vector++) {
    const target = HANDLERS + 16 * vector;
    const gate = (BigInt(target & 0xffff)) | (BigInt(selector) << 16n) | (0x8e00n << 32n) | (BigInt(target >>> 16) << 48n);
    memory.setBigUint64(IDT + (long ? 16 : 8) * vector, gate, true);
    memory.setUint8(target, 0xf4);
  }
}

const flatData = 0xc093;

function setFlat({ cpu }: Bench, code: number, attributes: number, level: number): void {
  const { registers } = cpu;
  registers.setSegment('cs', { selector: code, base: 0n, limit: 0xffffffff, attributes: attributes | (level << 5) });
  const data = level === 0 ? selectors.data : selectors.userData;
  for (const name of ['ss', 'ds', 'es', 'fs', 'gs'] as const) registers.setSegment(name, { selector: data, base: 0n, limit: 0xffffffff, attributes: flatData | (level << 5) });
  registers.setWide('gdtrBase', BigInt(GDT));
  registers.setNumber('gdtrLimit', 8 * 11 - 1);
  registers.setWide('idtrBase', BigInt(IDT));
  registers.setWide('rip', BigInt(CODE));
  registers.setWide('rsp', BigInt(level === 0 ? STACK : USER_STACK));
  registers.setNumber('rflags', 2);
}

/** 64-bit mode at a level: the first 16 MiB are mapped one to one, for the user too. */
export function longMode(bench: Bench, level: 0 | 3 = 0): void {
  const { memory, cpu: { registers } } = bench;
  memory.setBigUint64(TABLES, BigInt(TABLES + 0x1000) | 7n, true);
  memory.setBigUint64(TABLES + 0x1000, BigInt(TABLES + 0x2000) | 7n, true);
  for (let at = 0; at < 8; at++) memory.setBigUint64(TABLES + 0x2000 + 8 * at, BigInt(at * 0x200000) | 0x87n, true);
  writeDescriptors(memory, 0x8b);
  writeGates(memory, selectors.code64, true);
  memory.setBigUint64(TASK + 4, BigInt(INNER_STACK), true);
  registers.setWide('cr0', 0x80010033n);
  registers.setWide('cr3', BigInt(TABLES));
  registers.setWide('cr4', 0x620n);
  registers.setWide('efer', 0x501n);
  setFlat(bench, level === 0 ? selectors.code64 : selectors.userCode64, 0xa09b, level);
  registers.setNumber('idtrLimit', 0xfff);
  registers.setSegment('tr', { selector: selectors.task, base: BigInt(TASK), limit: 0x67, attributes: 0x8b });
}

/** 32-bit protected mode at a level, without paging. */
export function protectedMode(bench: Bench, level: 0 | 3 = 0): void {
  const { memory, cpu: { registers } } = bench;
  writeDescriptors(memory, 0x8b);
  writeGates(memory, selectors.code32, false);
  memory.setUint32(TASK + 4, INNER_STACK, true);
  memory.setUint32(TASK + 8, selectors.data, true);
  registers.setWide('cr0', 0x33n);
  setFlat(bench, level === 0 ? selectors.code32 : selectors.userCode32, 0xc09b, level);
  registers.setNumber('idtrLimit', 0x7ff);
  registers.setSegment('tr', { selector: selectors.task, base: BigInt(TASK), limit: 0x67, attributes: 0x8b });
}

/** Real mode as after a reset, but at {@link REAL_CODE} with a stack; vectors lead to HLT instructions 16 bytes apart at 0:3000. */
export function realMode(bench: Bench): void {
  const { memory, cpu: { registers } } = bench;
  for (let vector = 0; vector < 256; vector++) {
    memory.setUint32(4 * vector, 0x3000 + 16 * vector, true);
    memory.setUint8(0x3000 + 16 * vector, 0xf4);
  }
  registers.setWide('cr0', 0x10n);
  for (const name of ['cs', 'ss', 'ds', 'es', 'fs', 'gs'] as const) registers.setSegment(name, { selector: 0, base: 0n, limit: 0xffff, attributes: 0x93 });
  registers.setNumber('idtrLimit', 0x3ff);
  registers.setWide('rip', BigInt(REAL_CODE));
  registers.setWide('rsp', 0x2000n);
  registers.setNumber('rflags', 2);
}

export const REAL_CODE = 0x1000;

/** Loads code where the mode begins and runs it until it halts, at most a thousand instructions. */
export function execute(bench: Bench, code: string, budget = 1000): string {
  bench.load(bench.cpu.registers.number('rip') + bench.cpu.registers.number('csBase'), code);
  return bench.cpu.run(budget);
}

/** The vector whose handler the processor has halted in; undefined when it is elsewhere. */
export function handled({ cpu: { registers } }: Bench, at = HANDLERS): number | undefined {
  const behind = registers.number('rip') - 1 - at;
  return behind >= 0 && behind < 0x1000 && behind % 16 === 0 ? behind / 16 : undefined;
}
