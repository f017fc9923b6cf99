/** The guest of the bench (guest/): one image for every machine, made by the C compiler when it is wanted. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Piece } from '../../src/boot/boot.ts';
import { writeDisk, type Disk } from './disk.ts';

export type Bits = 32 | 64;

/** In the order of `workloads` in workloads.c. */
export const workloads = ['integer loop', 'calls', 'mixed', 'memory, scattered', 'sieve', 'sha256', 'sort'] as const;
export type Workload = (typeof workloads)[number];

const source = path.join(import.meta.dirname, 'guest');
/** Offsets of `scale` and `rounds` behind the image's first jump. */
const scaleAt = 4;
const roundsAt = 8;
/** Where the image is linked to. */
const imageAt = 0x100000;

const flags = [
  '-O2', '-ffreestanding', '-fno-pic', '-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-fno-tree-vectorize', '-fno-tree-loop-distribute-patterns',
  '-mgeneral-regs-only', '-mno-red-zone', '-fcf-protection=none', '-nostdlib', '-static', '-Wl,--oformat,binary,--build-id=none,-e,start',
];

function compile(output: string, bits: Bits, ...more: readonly string[]): Buffer {
  execFileSync('cc', [`-m${bits}`, ...flags, '-o', output, ...more], { cwd: source, stdio: ['ignore', 'inherit', 'inherit'] });
  return fs.readFileSync(output);
}

/** Images in a folder, each made once. */
export class GuestImages {
  readonly #folder: string;
  readonly #code = new Map<Bits, Buffer>();
  #sector: Buffer | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * A file that a multiboot loader takes.
   * @param scale how often each workload is run between its two letters
   * @param rounds how often all of them are run
   */
  multiboot(bits: Bits, scale: number, rounds: number): string {
    const file = this.#file(`${bits}-${scale}-${rounds}.multiboot`);
    fs.writeFileSync(file, this.#image(bits, scale, rounds));
    return file;
  }

  /** A disk that a BIOS begins from. */
  disk(bits: Bits, scale: number, rounds: number): Disk {
    return this.diskOf(`${bits}-${scale}-${rounds}`, [{ address: imageAt, bytes: this.#image(bits, scale, rounds) }], imageAt);
  }

  /** A disk whose first sector brings pieces to their places and begins at `begin`, with `parameter` in ESI. */
  diskOf(name: string, pieces: readonly Piece[], begin: number, parameter = 0): Disk {
    this.#sector ??= compile(this.#file('sector'), 32, '-Wl,-Ttext=0x7c00', 'disk.S');
    return writeDisk(this.#file(`${name}.disk`), this.#sector, pieces, begin, parameter);
  }

  #file(name: string): string {
    return path.join(this.#folder, name);
  }

  #image(bits: Bits, scale: number, rounds: number): Buffer {
    const code = this.#code.get(bits) ?? compile(this.#file(`code${bits}`), bits, ...(bits === 64 ? ['-DLONG'] : []), '-Wl,-T,link.ld', 'entry.S', 'workloads.c');
    this.#code.set(bits, code);
    const image = Buffer.from(code);
    image.writeUInt32LE(scale, scaleAt);
    image.writeUInt32LE(rounds, roundsAt);
    return image;
  }
}
