import os from 'node:os';

/** What a bench ran on, in a line. */
export function hostLine(): string {
  const [cpu] = os.cpus();
  return `Linux ${os.release()}, ${os.availableParallelism()} processors (${cpu?.model.trim() ?? 'unknown'}), Node ${process.versions.node}`;
}
