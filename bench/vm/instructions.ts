/** How many instructions of ordinary code a second: the same code everywhere, in turns. */
import { median } from '../containers/sample.ts';
import { progress } from '../containers/stage.ts';
import { countInstructions } from './counted.ts';
import { workloads, type Bits, type GuestImages, type Workload } from './guest.ts';
import type { Emulator } from './machines.ts';
import { Markers } from './markers.ts';
import { listen, type Failed } from './spawned.ts';

/** Millions of instructions a second. */
export interface Speed {
  readonly best: number;
  readonly median: number;
}

export interface SpeedRow {
  readonly workload: Workload;
  readonly bits: Bits;
  /** At scale 1. */
  readonly instructions: number;
  /** By the emulator's name. */
  readonly speeds: Readonly<Record<string, Speed>>;
  /** Of issue 4: at least so many by the interpreter alone. */
  readonly atLeast?: number;
}

/** Of 64-bit code. */
const targets: Partial<Record<Workload, number>> = { 'integer loop': 150, mixed: 100 };

const limitMs = 180_000;

/**
 * @param starts how often each emulator is started, in turns
 * @param rounds of all workloads in one start
 * @param failed told of an emulator that did not come to the end
 */
export async function measureInstructions(images: GuestImages, all: readonly Emulator[], starts: number, rounds: number, failed: Failed): Promise<SpeedRow[]> {
  const rows: SpeedRow[] = [];
  for (const bits of [64, 32] as const) {
    const taking = all.filter((emulator) => emulator.bits.includes(bits));
    const counts = await countInstructions(images, bits);
    const times = await measure(images, taking, bits, starts, rounds, failed);
    for (const [index, workload] of workloads.entries()) rows.push(rowOf(workload, bits, counts[index] ?? NaN, taking, times));
  }
  return rows;
}

type Times = ReadonlyMap<Emulator, readonly Markers[]>;

async function measure(images: GuestImages, taking: readonly Emulator[], bits: Bits, starts: number, rounds: number, failed: Failed): Promise<Times> {
  const times = new Map<Emulator, Markers[]>(taking.map((emulator) => [emulator, []]));
  for (let start = 0; start < starts; start++) {
    for (const emulator of taking) {
      progress(`instructions, ${bits} bits: ${emulator.name}`);
      const markers = new Markers(() => performance.now());
      const heard = listen(emulator.command(images, bits, rounds), (bytes) => {
        markers.take(bytes);
        return markers.ended;
      }, limitMs);
      await heard.then(() => times.get(emulator)?.push(markers), failed);
    }
  }
  return times;
}

function rowOf(workload: Workload, bits: Bits, instructions: number, taking: readonly Emulator[], times: Times): SpeedRow {
  const speeds = taking.filter((emulator) => times.get(emulator)?.length !== 0).map((emulator) => {
    const all = (times.get(emulator) ?? []).flatMap((markers) => markers.of(workload));
    const perSecond = (ms: number): number => (instructions * emulator.scale) / ms / 1000;
    return [emulator.name, { best: perSecond(Math.min(...all)), median: perSecond(median(all)) }] as const;
  });
  const atLeast = bits === 64 ? targets[workload] : undefined;
  return { workload, bits, instructions, speeds: Object.fromEntries(speeds), ...(atLeast !== undefined && { atLeast }) };
}
