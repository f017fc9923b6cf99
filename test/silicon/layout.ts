/**
 * Where everything is in the guest that silicon.ts runs. Cases see the two windows, at low addresses. All of RAM is also mapped from
 * {@link base} on, for the driver: far from values that a case is likely to use as an address, and in reach of a 32-bit displacement.
 */

export const ramSize = 32 << 20;
export const base = 0x5ac00000;

/** What a case may see of a page. `absent` faults, `supervisor` and `readOnly` do as well, with other error codes. */
export type Access = 'writable' | 'readOnly' | 'supervisor' | 'absent';

/** Code is put anywhere in these two pages, which can't be written; no page follows. */
export const codeWindow = { address: 0x100000, pages: 2 } as const;

/** Every kind of neighbour that an access across a page's end can meet. Before them and behind them are no pages. */
export const dataWindow = {
  address: 0x200000,
  pages: ['writable', 'writable', 'absent', 'writable', 'readOnly', 'writable', 'supervisor'],
} as const satisfies { address: number; pages: readonly Access[] };

/** From the driver's view of a window's page: what should be there, and what is there when no case has put anything else. */
export const shadow = 0x40000;
export const background = 0x60000;

/** Physical addresses, as the processor walks them; two tables for the windows, two for the driver. */
export const pml4 = 0x1000;
export const pdpt = 0x2000;
export const directories = 0x3000;
export const tables = 0x5000;
/** 32 handlers of 32 bytes, then the driver at the next page, of two. */
export const image = 0xc000;
export const doorbellPhysical = 0x10000000;

/** Addresses of the driver's and the system's. */
export const gdt = base + 0x9000;
export const tss = base + 0x9100;
export const idt = base + 0xa000;
export const handlers = base + image;
export const driver = handlers + 0x1000;
export const landing = driver + 0x10;
export const abandoned = driver + 0x100;
export const driverData = driver + 0x2000;
/** Its end is the stack for exceptions, its middle the driver's own. */
export const stackPage = driver + 0x3000;
export const stackTop = stackPage + 0x1000;
/** Where there is no memory: a write leaves the guest. */
export const doorbell = driver + 0x4000;
export const cases = base + 0x400000;
export const casesEnd = base + 0x1000000;
export const results = base + 0x1000000;
/** A result holds 16 bytes for every 8 that have changed, of four pages. */
export const resultsLimit = base + ramSize - 0x440 - 4 * 8192 - 64;

export const kernelCode = 0x10;
export const userData = 0x2b;
export const userCode = 0x33;
export const tssSelector = 0x40;

/** Offsets in a case and in a result; driver.S has the same. */
export const record = {
  size: 0, count: 4, outcome: 8, registers: 0x10, rip: 0x90, cs: 0x98, rflags: 0xa0, rsp: 0xa8, ss: 0xb0, fsBase: 0xb8, gsBase: 0xc0, xsave: 0x100, tail: 0x440,
} as const;
export const found = { ...record, rflags: 0x98, vector: 0xa0, errorCode: 0xa8, cr2: 0xb0 } as const;

/** An XSAVE image of x87, SSE and AVX: FXSAVE's 512 bytes, a header of 64, the upper halves of the YMM registers. */
export const xsave = { size: 0x340, header: 512, ymm: 576 } as const;
