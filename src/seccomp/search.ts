import { jump, jumpAlways, label, load } from '../bpf/classic.ts';
import type { ClassicItem } from '../bpf/classic.ts';
import { highWord, lowWord } from './data.ts';

/** From this value up to the next range's, go to the label. */
export interface Range<Value extends number | bigint> {
  readonly from: Value;
  readonly goal: string;
}

/** Makes labels that no other part of the program has. */
export type Fresh = () => string;

/**
 * A binary search for the accumulator's range: for n ranges at most log2(n) + 1 comparisons on any way.
 * @param ranges ascending, the first from 0
 */
export function search(ranges: readonly Range<number>[], fresh: Fresh): ClassicItem[] {
  const items: ClassicItem[] = [];
  const distinct = merged(ranges);
  bisect(distinct, 0, distinct.length, items, fresh);
  return items;
}

/**
 * A search for a 64-bit argument's range: by the high word, then, where that does not decide, by the low word.
 * @param ranges ascending, the first from 0n
 */
export function searchArgument(argument: number, ranges: readonly Range<bigint>[], fresh: Fresh): ClassicItem[] {
  const lows = new Map<number, { goal: string; ranges: Range<number>[] }>();
  const highs: Range<number>[] = [];
  const addLow = (high: number, from: number, goal: string): void => {
    let low = lows.get(high);
    if (!low) {
      low = { goal: fresh(), ranges: [] };
      lows.set(high, low);
      highs.push({ from: high, goal: low.goal });
    }
    low.ranges.push({ from, goal });
  };
  ranges.forEach(({ from, goal }, index) => {
    const to = (ranges[index + 1]?.from ?? 1n << 64n) - 1n;
    const [fromHigh, fromLow] = halves(from);
    const [toHigh, toLow] = halves(to);
    const startsWithin = fromLow !== 0 || (fromHigh === toHigh && toLow !== 0xffff_ffff);
    if (startsWithin) addLow(fromHigh, fromLow, goal);
    const firstWhole = startsWithin ? fromHigh + 1 : fromHigh;
    const endsWithin = toLow !== 0xffff_ffff && toHigh >= firstWhole;
    const lastWhole = endsWithin ? toHigh - 1 : toHigh;
    if (firstWhole <= lastWhole) highs.push({ from: firstWhole, goal });
    if (endsWithin) addLow(toHigh, 0, goal);
  });
  const items: ClassicItem[] = [load(highWord(argument)), ...search(highs, fresh)];
  for (const low of lows.values()) items.push(label(low.goal), load(lowWord(argument)), ...search(low.ranges, fresh));
  return items;
}

function halves(value: bigint): [high: number, low: number] {
  return [Number(value >> 32n), Number(value & 0xffff_ffffn)];
}

function merged(ranges: readonly Range<number>[]): Range<number>[] {
  return ranges.filter((range, index) => index === 0 || range.goal !== ranges[index - 1]?.goal);
}

/** Searches the ranges from `start` up to but not with `end`; there is at least one. */
function bisect(ranges: readonly Range<number>[], start: number, end: number, items: ClassicItem[], fresh: Fresh): void {
  const at = (start + end) >> 1;
  const { from, goal } = ranges[at] as Range<number>;
  if (at === start) {
    items.push(jumpAlways(goal));
    return;
  }
  const left = at === start + 1 ? ranges[start]?.goal : undefined;
  const right = at === end - 1 ? goal : fresh();
  items.push(jump('jge', from, right, left));
  if (left === undefined) bisect(ranges, start, at, items, fresh);
  if (at < end - 1) {
    items.push(label(right));
    bisect(ranges, at, end, items, fresh);
  }
}
