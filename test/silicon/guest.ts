import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as at from './layout.ts';

const present = 1n;
const writeable = 2n;
const user = 4n;
/** Set already, so that the processor need not. */
const used = 0x60n;
const large = 0x80n;
const noExecute = 1n << 63n;

const source = path.join(import.meta.dirname, 'driver.S');

function symbols(): Record<string, string> {
  const writablePages = at.dataWindow.pages.flatMap((access, page) => (access === 'writable' ? [`scan ${at.dataWindow.address + page * 4096};`] : []));
  return Object.fromEntries(Object.entries({
    STACK: at.stackTop, DATA: at.driverData, DOORBELL: at.doorbell, CASES: at.cases, RESULTS: at.results, RESULTS_LIMIT: at.resultsLimit,
    USER_SS: at.userData, USER_CS: at.userCode, WRITABLE: at.writable, SHADOW: at.shadow, BACKGROUND: at.background, WRITABLE_PAGES: writablePages.join(' '),
  }).map(([name, value]) => [name, String(value)]));
}

/** driver.S as it lies in memory from {@link at.handlers} on. Takes the C compiler that the build takes too. */
function assemble(): Uint8Array {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-silicon-'));
  try {
    const object = path.join(folder, 'driver');
    const defines = Object.entries(symbols()).map(([name, value]) => `-D${name}=${value}`);
    const link = ['-nostdlib', '-static', '-no-pie', `-Wl,-Ttext=0x${at.handlers.toString(16)},--oformat=binary,--build-id=none,-e0`];
    execFileSync('cc', [...link, ...defines, '-o', object, source]);
    return new Uint8Array(fs.readFileSync(object));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Writes page tables, descriptors, handlers and the driver into a machine's RAM, which is all zeros. */
export function furnish(ram: Uint8Array): void {
  const view = new DataView(ram.buffer, ram.byteOffset, ram.length);
  const put = (address: number, value: bigint): void => view.setBigUint64(address, value, true);
  ram.set(assemble(), at.handlers);
  pageTables(put);
  descriptors(put, view);
  fillBackground(ram);
}

function pageTables(put: (address: number, value: bigint) => void): void {
  const open = present | writeable | user | used;
  put(at.pml4, BigInt(at.pdpt) | open);
  put(at.pdpt, BigInt(at.directory) | open);
  for (let big = 2; big < at.ramSize >> 21; big++) put(at.directory + big * 8, (BigInt(big) << 21n) | open | large | noExecute);
  put(at.directory, BigInt(at.tables) | open);
  put(at.directory + 8, BigInt(at.tables + 4096) | open);
  const page = (virtual: number, physical: number, bits: bigint): void => put(at.tables + (virtual >> 12) * 8, BigInt(physical) | bits | present | used);
  for (let system = at.pml4; system < at.handlers; system += 4096) page(system, system, writeable | noExecute);
  page(at.handlers, at.handlers, 0n);
  for (const code of [at.driver, at.driver + 4096]) page(code, code, user);
  for (const data of [at.driverData, at.stackPage]) page(data, data, user | writeable | noExecute);
  page(at.doorbell, at.doorbellPhysical, user | writeable | noExecute);
  const window = (address: number, access: readonly at.Access[], execute: bigint): void => access.forEach((kind, index) => {
    const virtual = address + index * 4096;
    const bits = { writable: user | writeable, readOnly: user, supervisor: writeable, absent: 0n }[kind];
    if (kind !== 'absent') page(virtual, virtual, bits | execute);
    for (const other of [0, at.shadow, at.background]) {
      page(virtual + at.writable + other, other === 0 ? virtual : virtual + at.writable + other, user | writeable | noExecute);
    }
  });
  window(at.codeWindow.address, Array.from({ length: at.codeWindow.pages }, () => 'readOnly' as const), 0n);
  window(at.dataWindow.address, at.dataWindow.pages, noExecute);
}

function descriptors(put: (address: number, value: bigint) => void, view: DataView): void {
  put(at.gdt + at.kernelCode, 0x00af9b000000ffffn);
  put(at.gdt + 0x18, 0x00cf93000000ffffn);
  put(at.gdt + (at.userData & ~7), 0x00cff3000000ffffn);
  put(at.gdt + (at.userCode & ~7), 0x00affb000000ffffn);
  put(at.gdt + at.tssSelector, 0x00008b0000000067n | (BigInt(at.tss) << 16n));
  // rsp0 and the map of ports, which begins where the segment has ended: none is allowed.
  view.setBigUint64(at.tss + 4, BigInt(at.stackTop), true);
  view.setUint16(at.tss + 102, 104, true);
  for (let vector = 0; vector < 32; vector++) {
    const privilege = vector === 3 || vector === 4 ? 0xeen : 0x8en;
    put(at.idt + vector * 16, BigInt(at.handlers + vector * 32) | (BigInt(at.kernelCode) << 16n) | (privilege << 40n));
  }
}

/** What memory holds where no case has put anything: `int3` in the code window, a function of the address in the data window. */
export function backgroundByte(address: number): number {
  if (address < at.dataWindow.address) return 0xcc;
  return Math.imul((address & 0xffff) + 0x9e37, 0x9e3779b1) >>> 24;
}

function fillBackground(ram: Uint8Array): void {
  const fill = (address: number, pages: number): void => {
    for (let offset = 0; offset < pages * 4096; offset++) {
      const value = backgroundByte(address + offset);
      for (const where of [address, address + at.writable + at.shadow, address + at.writable + at.background]) ram[where + offset] = value;
    }
  };
  fill(at.codeWindow.address, at.codeWindow.pages);
  fill(at.dataWindow.address, at.dataWindow.pages.length);
}
