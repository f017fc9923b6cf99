/** Ticks of an oscillator on a clock of nanoseconds, exactly: both directions stay within 2^53 for frequencies to some 9 MHz. */

const SECOND = 1e9;

/** How many ticks of `hertz` have been until `time`, in nanoseconds. */
export function ticksAt(time: number, hertz: number): number {
  const seconds = Math.floor(time / SECOND);
  return seconds * hertz + Math.floor(((time - seconds * SECOND) * hertz) / SECOND);
}

/** The first nanosecond at which `ticksAt` gives `ticks`. */
export function timeOfTick(ticks: number, hertz: number): number {
  const seconds = Math.floor(ticks / hertz);
  return seconds * SECOND + Math.ceil(((ticks - seconds * hertz) * SECOND) / hertz);
}
