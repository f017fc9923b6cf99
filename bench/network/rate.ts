/** A measurement of throughput, in seconds. */
const SECONDS = 3;

/** Of a client that prints JSON. */
export function iperfArguments(server: string): string[] {
  return ['-c', server, '-t', String(SECONDS), '-J'];
}

/** Gigabits a second that have arrived, of what a client has printed. @throws Error with its complaint */
export function rateOf(printed: string): number {
  const { end, error } = JSON.parse(printed) as { readonly end: { readonly sum_received?: { readonly bits_per_second: number } }; readonly error?: string };
  if (end.sum_received === undefined) throw new Error(`iperf3: ${error ?? 'it has received nothing'}`);
  return end.sum_received.bits_per_second / 1e9;
}
