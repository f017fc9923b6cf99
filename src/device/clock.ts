/** A deadline that has not come yet. */
export interface Timer {
  cancel(): void;
}

/** A machine's time in nanoseconds since it was made (exact up to 2^53, 104 days). It stands still in a snapshot. */
export interface Clock {
  now(): number;
  /** Calls `expired` once, when the time has come, between two instructions of the guest. */
  at(time: number, expired: () => void): Timer;
}
