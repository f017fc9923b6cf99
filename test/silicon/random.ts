import { codeWindow, dataWindow } from './layout.ts';
import type { Case } from './silicon.ts';

/** A generator of 32-bit numbers that gives the same for the same seed: xorshift, 13 17 5. */
export function randomNumbers(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Integer, string, x87 and vector instructions with registers and memory at rbx and [rbx + rcx], as far as they give the same each time. */
const forms = [
  '4801c8', '4829c8', '4811c8', '4819c8', '4839c8', '4831c8', '4809c8', '4821c8', '00e0', '6629c8', '480303', '482903', '480fafc1', '48f7e1', '48f7f9',
  '48d3e0', '48d3f8', '48d3c8',
  '480fa5c8', '480fbcc1', 'f3480fb8c1', '480fc103', '480fb10b', '488703', '50', '58', 'ff33', '8f03', '488b040b', '4889440bf8', 'a4', 'aa', 'f3a4', 'f348ab',
  '480fa30b', '480fab0b',
  '0f28c1', '0f1003', '0f1103', '0f58c1', '660f59c1', 'f20f51c1', 'f20f5ec1', 'f30f5ac1', 'f2480f2cc1', '660f3800c1', '660fefc1', 'd8c1', 'd8c9', 'd8f1',
  'd9fa', 'dd03', 'dd1b', 'db2b', 'd9e1',
  'c5f458c2', 'c5fd6fc1', 'c5f877', 'c4e2f9f7c1', '480f38f003', 'ffe0', 'c3', 'c9', '9c', '9d', 'cc', '0f0b', 'f4',
].map((code) => new Uint8Array(Buffer.from(code, 'hex')));

/** Not of any one shape: values at the edges, addresses in the window, addresses just before a page's end, all bits. */
function value(next: () => number): bigint {
  const pages = dataWindow.pages.length;
  const kind = next() % 5;
  if (kind === 0) return BigInt.asUintN(64, BigInt(next() % 5) - 2n);
  if (kind === 1) return BigInt(dataWindow.address + (next() % (pages * 4096)));
  if (kind === 2) return BigInt(dataWindow.address + (1 + (next() % pages)) * 4096 - (next() % 17));
  if (kind === 3) return 1n << BigInt(next() % 64);
  return (BigInt(next()) << 32n) | BigInt(next());
}

/** The same cases for the same seed. */
export function randomCases(count: number, seed: number): Case[] {
  const next = randomNumbers(seed);
  return Array.from({ length: count }, () => {
    const registers = BigUint64Array.from({ length: 16 }, () => value(next));
    // Short enough to end before it is given up.
    registers[1] = (registers[1] as bigint) & 0xffn;
    const fx = Uint8Array.from({ length: 512 }, (_, at) => (at < 32 || (at < 160 && at % 16 > 9) ? 0 : next()));
    const control = new DataView(fx.buffer);
    control.setUint16(0, 0x37f, true);
    control.setUint8(4, next());
    control.setUint32(24, 0x1f80 | ((next() & 3) << 13), true);
    return {
      code: forms[next() % forms.length] as Uint8Array, rip: codeWindow.address + (next() % (codeWindow.pages * 4096 - 16)), registers,
      rflags: next() & 0xcd5, fx,
      ymm: Uint8Array.from({ length: 256 }, () => next()),
      memory: [{ address: dataWindow.address + 16 * (next() % 256), bytes: Uint8Array.from({ length: 32 }, () => next()) }], branches: true,
    };
  });
}
