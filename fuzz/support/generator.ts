/** Numbers below a bound. */
export type Random = (below: number) => number;

/** The 32-bit generator mulberry32: small, and the same everywhere for a seed. */
export function generator(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) % below;
  };
}

export const pick = <T>(from: readonly T[], random: Random): T => from[random(from.length)] as T;
