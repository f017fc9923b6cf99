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
    USER_SS: at.userData, USER_CS: at.userCode, WRITABLE: at.base, SHADOW: at.shadow, BACKGROUND: at.background, WRITABLE_PAGES: writablePages.join(' '),
  }).map(([name, value]) => [name, String(value)]));
}

/** driver.S as it lies in memory from {@link at.image} on. Takes the C compiler that the build takes too. */
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
  ram.set(assemble(), at.image);
  pageTables((address, value) => view.setBigUint64(address, value, true));
  descriptors((address, value) => view.setBigUint64(address - at.base, value, true), view);
  fillBackground(ram);
}

const open = present | writeable | user | used;

function pageTables(put: (physical: number, entry: bigint) => void): void {
  put(at.pml4, BigInt(at.pdpt) | open);
  for (const gigabyte of [0, 1]) put(at.pdpt + gigabyte * 8, BigInt(at.directories + gigabyte * 4096) | open);
  const directory = at.directories + 4096 + ((at.base >> 21) % 512) * 8;
  for (const small of [0, 1]) {
    put(at.directories + small * 8, BigInt(at.tables + small * 4096) | open);
    put(directory + small * 8, BigInt(at.tables + (2 + small) * 4096) | open);
  }
  for (let big = 2; big < at.ramSize >> 21; big++) put(directory + big * 8, (BigInt(big) << 21n) | open | large | noExecute);
  driverPages((virtual, physical, bits) => put(at.tables + 2 * 4096 + ((virtual - at.base) >> 12) * 8, BigInt(physical) | bits | present | used));
  windowPages((virtual, physical, bits) => put(at.tables + (virtual >> 12) * 8, BigInt(physical) | bits | present | used));
}

type Page = (virtual: number, physical: number, bits: bigint) => void;

function driverPages(page: Page): void {
  const free = user | writeable | noExecute;
  for (let system = at.base; system < at.handlers; system += 4096) page(system, system - at.base, writeable | noExecute);
  page(at.handlers, at.image, 0n);
  for (const code of [at.driver, at.driver + 4096]) page(code, code - at.base, user);
  for (const data of [at.driverData, at.stackPage]) page(data, data - at.base, free);
  page(at.doorbell, at.doorbellPhysical, free);
  for (const { address, count } of windows) {
    for (const part of [0, at.shadow, at.background]) {
      for (let index = 0; index < count; index++) page(at.base + address + part + index * 4096, address + part + index * 4096, free);
    }
  }
}

function windowPages(page: Page): void {
  for (let index = 0; index < at.codeWindow.pages; index++) page(at.codeWindow.address + index * 4096, at.codeWindow.address + index * 4096, user);
  for (const [index, access] of at.dataWindow.pages.entries()) {
    const address = at.dataWindow.address + index * 4096;
    const bits = { writable: user | writeable, readOnly: user, supervisor: writeable, absent: 0n }[access];
    if (access !== 'absent') page(address, address, bits | noExecute);
  }
}

const windows = [
  { address: at.codeWindow.address, count: at.codeWindow.pages },
  { address: at.dataWindow.address, count: at.dataWindow.pages.length },
] as const;

function descriptors(put: (address: number, value: bigint) => void, view: DataView): void {
  put(at.gdt + at.kernelCode, 0x00af9b000000ffffn);
  put(at.gdt + 0x18, 0x00cf93000000ffffn);
  put(at.gdt + (at.userData & ~7), 0x00cff3000000ffffn);
  put(at.gdt + (at.userCode & ~7), 0x00affb000000ffffn);
  const tss = BigInt(at.tss);
  put(at.gdt + at.tssSelector, 0x00008b0000000067n | ((tss & 0xffffffn) << 16n) | ((tss >> 24n) << 56n));
  // rsp0 and the map of ports, which begins where the segment has ended: none is allowed.
  view.setBigUint64(at.tss - at.base + 4, BigInt(at.stackTop), true);
  view.setUint16(at.tss - at.base + 102, 104, true);
  for (let vector = 0; vector < 32; vector++) {
    const handler = BigInt(at.handlers + vector * 32);
    const privilege = vector === 3 || vector === 4 ? 0xeen : 0x8en;
    put(at.idt + vector * 16, (handler & 0xffffn) | (BigInt(at.kernelCode) << 16n) | (privilege << 40n) | ((handler >> 16n) << 48n));
  }
}

/** What memory holds where no case has put anything: `int3` in the code window, a function of the address in the data window. */
export function backgroundByte(address: number): number {
  if (address < at.dataWindow.address) return 0xcc;
  return Math.imul((address & 0xffff) + 0x9e37, 0x9e3779b1) >>> 24;
}

function fillBackground(ram: Uint8Array): void {
  for (const { address, count } of windows) {
    for (let offset = 0; offset < count * 4096; offset++) {
      const value = backgroundByte(address + offset);
      for (const part of [0, at.shadow, at.background]) ram[address + part + offset] = value;
    }
  }
}
