/** PCMPESTRI and its kin: two texts of up to 16 bytes or 8 words against each other (SDM volume 2, 4.1). */

/** Bits 0 to 15: the result of each element of the second text. 16: one of the first is not whole, 17: of the second. */
export function compareTexts(first: bigint, second: bigint, firstLength: bigint, secondLength: bigint, control: bigint): bigint {
  const wide = (control & 1n) !== 0n;
  const count = wide ? 8 : 16;
  const [lengthA, lengthB] = [Number(firstLength), Number(secondLength)];
  const a = elements(first, wide, (control & 2n) !== 0n);
  const b = elements(second, wide, (control & 2n) !== 0n);
  const holds = [anyEqual, inRanges, eachEqual, ordered][Number((control >> 2n) & 3n)] as Comparison;
  let result = 0;
  for (let at = 0; at < count; at++) if (holds(a, b, lengthA, lengthB, at, count)) result |= 1 << at;
  const polarity = Number((control >> 4n) & 3n);
  if (polarity === 1) result ^= (1 << count) - 1;
  if (polarity === 3) result ^= (1 << Math.min(lengthB, count)) - 1;
  return BigInt(result | (lengthA < count ? 0x10000 : 0) | (lengthB < count ? 0x20000 : 0));
}

/** Whether the second text's element at a place, or the text from there, is what is looked for. */
type Comparison = (a: readonly number[], b: readonly number[], lengthA: number, lengthB: number, at: number, count: number) => boolean;

const anyEqual: Comparison = (a, b, lengthA, lengthB, at) => at < lengthB && a.slice(0, lengthA).includes(b[at] as number);

const inRanges: Comparison = (a, b, lengthA, lengthB, at) => {
  const value = b[at] as number;
  if (at >= lengthB) return false;
  for (let low = 0; low + 1 < lengthA; low += 2) if (value >= (a[low] as number) && value <= (a[low + 1] as number)) return true;
  return false;
};

/** Behind both ends they are equal. */
const eachEqual: Comparison = (a, b, lengthA, lengthB, at) => (at < lengthA && at < lengthB ? a[at] === b[at] : at >= lengthA && at >= lengthB);

/** The first text, as far as the second one's room goes. */
const ordered: Comparison = (a, b, lengthA, lengthB, at, count) => {
  for (let each = 0; each < lengthA && at + each < count; each++) if (at + each >= lengthB || a[each] !== b[at + each]) return false;
  return true;
};

function elements(vector: bigint, wide: boolean, signed: boolean): number[] {
  const width = wide ? 16 : 8;
  return Array.from({ length: 128 / width }, (_, at) => {
    const value = BigInt.asUintN(width, vector >> BigInt(width * at));
    return Number(signed ? BigInt.asIntN(width, value) : value);
  });
}

/** Elements before the first zero. */
export function textLength(vector: bigint, wide: bigint): bigint {
  const all = elements(vector, wide === 1n, false);
  const zero = all.indexOf(0);
  return BigInt(zero < 0 ? all.length : zero);
}
