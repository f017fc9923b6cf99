import type { Timing } from './timer.ts';

/** Something to be measured beside others. */
export interface Contestant {
  readonly name: string;
  measure(): Promise<Timing>;
}

/** What was measured of one contestant. */
export interface Sample {
  readonly name: string;
  readonly medianMs: number;
  readonly minMs: number;
  /** Of the largest process; 0 when no process of its own was started. */
  readonly peakKb: number;
  readonly runs: number;
}

/** Measures in turns, A B C A B C, so that what disturbs the machine disturbs all alike. */
export async function interleaved(contestants: readonly Contestant[], rounds: number, warmUps = 0): Promise<Sample[]> {
  const timings = contestants.map((): Timing[] => []);
  for (let round = -warmUps; round < rounds; round++) {
    for (const [index, contestant] of contestants.entries()) {
      const timing = await contestant.measure();
      if (round >= 0) timings[index]?.push(timing);
    }
  }
  return contestants.map(({ name }, index) => sampleOf(name, timings[index] ?? []));
}

export function sampleOf(name: string, timings: readonly Timing[]): Sample {
  const times = timings.map(({ ms }) => ms);
  return { name, medianMs: median(times), minMs: Math.min(...times), peakKb: Math.max(...timings.map(({ peakKb }) => peakKb)), runs: times.length };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
