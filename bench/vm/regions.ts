/** Hot loops: on the interpreter alone, with regions, and natively; the same C, compiled once as a guest and once as a program. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CODE, createBench, longMode, type Bench } from '../../test/support/processor.ts';

/** Nanoseconds for a turn of the loop, the least of all rounds; its instructions; millions of them a second with regions. */
export interface RegionRow {
  readonly name: string;
  readonly native: number;
  readonly interpreter: number;
  readonly regions: number;
  readonly instructions: number;
  readonly mips: { readonly interpreter: number; readonly regions: number };
}

const source = path.join(import.meta.dirname, 'regions.c');
const loops = [['registers', 'loop on registers'], ['memory', 'read and write at a random place of 4 MiB']] as const;
const turns = 3_000_000;
/** What the random places are in, of the guest's memory. */
const words = { from: 0x400000, size: 0x400000 };

/** @param rounds of each, in turns */
export function measureRegions(rounds: number): RegionRow[] {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-regions-'));
  try {
    const program = path.join(folder, 'native');
    execFileSync('gcc', ['-O2', '-o', program, source]);
    const image = guestImage(folder);
    return loops.map(([loop, name], which) => {
      const benches = [guest(image, false), guest(image, true)] as const;
      const times = Array.from({ length: rounds }, () => {
        const [, native = ''] = execFileSync(program, [loop, String(turns)], { encoding: 'utf8' }).split(' ');
        return { native: Number(native), interpreter: perTurn(benches[0], which), regions: perTurn(benches[1], which) };
      });
      const least = (engine: 'native' | 'interpreter' | 'regions'): number => Math.min(...times.map((each) => each[engine]));
      const before = benches[1].cpu.instructions;
      perTurn(benches[1], which);
      const instructions = (benches[1].cpu.instructions - before) / turns;
      const mips = { interpreter: (1000 * instructions) / least('interpreter'), regions: (1000 * instructions) / least('regions') };
      return { name, native: least('native'), interpreter: least('interpreter'), regions: least('regions'), instructions, mips };
    });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Its first byte goes to {@link CODE}. */
function guestImage(folder: string): Uint8Array {
  const [linked, flat] = [path.join(folder, 'guest.elf'), path.join(folder, 'guest')];
  const freestanding = ['-DGUEST', '-ffreestanding', '-nostdlib', '-static', '-fno-pic', '-mno-sse', '-fno-stack-protector', '-fcf-protection=none'];
  const places = [`--section-start=.start=${CODE}`, `-Ttext=${CODE + 0x1000}`].map((each) => `-Wl,${each.replace(/\d+$/, (place) => `0x${Number(place).toString(16)}`)}`);
  execFileSync('gcc', ['-O2', ...freestanding, ...places, '-Wl,--build-id=none,-e,start', '-o', linked, source]);
  execFileSync('objcopy', ['-O', 'binary', '-j', '.start', '-j', '.text', linked, flat]);
  return fs.readFileSync(flat);
}

function guest(image: Uint8Array, translates: boolean): Bench {
  const bench = createBench({}, translates);
  longMode(bench);
  const { buffer, byteOffset } = bench.memory;
  new Uint8Array(buffer, byteOffset).set(image, CODE);
  const values = new Uint32Array(buffer, byteOffset + words.from, words.size / 4);
  values.forEach((_, at) => { values[at] = at; });
  return bench;
}

/** Of this thread's own time, as other programs run beside. */
function perTurn({ cpu }: Bench, which: number): number {
  const { registers } = cpu;
  registers.setWide('rip', BigInt(CODE));
  registers.setNumber('activity', 0);
  for (const [number, value] of [[7, which], [6, turns], [4, 0x80000]] as const) registers.setGeneral(number, BigInt(value));
  const before = process.threadCpuUsage();
  while (cpu.run(1_000_000) === 'budget');
  const { user, system } = process.threadCpuUsage(before);
  return ((user + system) * 1000) / turns;
}
