/**
 * cpu.shares of v1 (2 to 262144, usually 1024) as cpu.weight of v2 (1 to 10000, usually 100).
 *
 * A line between the ends of both ranges, which runtimes used at first, makes 39 of the usual 1024: a container with ordinary
 * shares then gets less than half of what everything else on the host does. So this is the curve runc and crun agreed on later:
 * the power of ten is a quadratic of log2(shares) that goes through both ends and through 1024 = 100.
 * Values outside of the range are brought to its ends, as the kernel does with shares.
 */
export function sharesToWeight(shares: bigint): bigint {
  if (shares <= 2n) return 1n;
  if (shares >= 262144n) return 10000n;
  const log = Math.log2(Number(shares));
  return BigInt(Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34)));
}

/** A block I/O weight of OCI and v1 (10 to 1000) as io.weight of v2 (1 to 10000): a line, as runc draws it. */
export function blockIoWeightToIoWeight(weight: bigint): bigint {
  return 1n + ((weight - 10n) * 9999n) / 990n;
}

/** v2 spells "no limit" as a word. */
export function unlimitedAsMax(limit: bigint): string {
  return limit < 0n ? 'max' : String(limit);
}
