/** How soon a machine of 1 GiB goes on that comes from a file: up to the first byte that its guest writes to its serial port. */
import fs from 'node:fs';
import path from 'node:path';
import { softwareCpuid } from '../../src/cpu/cpuid.ts';
import { APIC_TIMER_HERTZ } from '../../src/device/apic-timer.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { Machine } from '../../src/machine/machine.ts';
import { SnapshotFile, writeSnapshot } from '../../src/snapshot/file.ts';
import { restore } from '../../src/snapshot/snapshot.ts';
import { engines } from '../../test/support/guest.ts';
import { progress } from '../containers/stage.ts';
import { delosCommand } from '../network/engines.ts';
import { listen } from './spawned.ts';

export interface RestoreRow {
  readonly name: string;
  /** One for each time that it was done. */
  readonly milliseconds: readonly number[];
}

const memory = 2 ** 30;
const page = 4096;
const limitMs = 60_000;
/** Writes without end. mov dx, 0x3f8; out dx, al; jmp to the out */
const code = Uint8Array.of(0xba, 0xf8, 0x03, 0xee, 0xeb, 0xfd);
const at = 0x7c00;

/** @param folder where a GiB has room @param times each is done */
export async function measureRestores(folder: string, times: number): Promise<RestoreRow[]> {
  const file = path.join(folder, 'machine');
  progress('snapshot: written');
  const written = await save(file);
  const rows: RestoreRow[] = [{ name: 'written to a file, each page of it, and on the disk', milliseconds: [written] }];
  for (const { engine, skip } of engines) {
    if (skip !== false) continue;
    progress(`snapshot: ${engine.name}`);
    const inside: number[] = [];
    const outside: number[] = [];
    for (let time = 0; time < times; time++) {
      inside.push(await firstByte(file, engine));
      outside.push(await firstByteOf([...delosCommand, 'vm', 'restore', '--engine', engine.name, file]));
    }
    rows.push({ name: `restored on ${engine.name}, in a process that runs`, milliseconds: inside });
    rows.push({ name: `delos vm restore --engine ${engine.name}, from its start`, milliseconds: outside });
  }
  const checked = [...delosCommand, 'vm', 'restore', '--engine', 'interpreter', '--check-first', file];
  rows.push({ name: 'the same with --check-first', milliseconds: [await firstByteOf(checked)] });
  fs.rmSync(file);
  return rows;
}

/** A machine without a page of zeros. */
async function save(file: string): Promise<number> {
  const { engine } = engines.find(({ engine: { name } }) => name === 'interpreter') as (typeof engines)[number];
  const cpuid = softwareCpuid({ cpus: 1, apicId: 0, timestampHz: 1e9, timerHz: APIC_TIMER_HERTZ, hypervisor: true });
  using machine = new Machine({ start: { kind: 'flat', code, address: at }, memory, engine, cpuid });
  const all = machine.memory.bytes(0, memory);
  const words = new Uint32Array(all.buffer, all.byteOffset, memory / 4);
  for (let word = 2 ** 18; word < words.length; word += page / 4) words[word] = word;
  await machine.run(AbortSignal.timeout(20));
  const start = performance.now();
  writeSnapshot(machine, file);
  return performance.now() - start;
}

async function firstByte(file: string, engine: Engine): Promise<number> {
  const abort = new AbortController();
  let heard = 0;
  const start = performance.now();
  using snapshot = new SnapshotFile(file);
  using machine = restore(snapshot, {
    engine,
    serial: [() => {
      heard ||= performance.now();
      abort.abort();
    }],
  });
  await machine.run(abort.signal);
  return heard - start;
}

async function firstByteOf(argv: readonly string[]): Promise<number> {
  const start = performance.now();
  let heard = 0;
  await listen({ argv }, () => {
    heard ||= performance.now();
    return true;
  }, limitMs);
  return heard - start;
}
