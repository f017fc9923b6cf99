import { DelosError } from '../../lib/errors.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { alignColumns } from '../../vocabulary/table.ts';
import { ENTRY_SAYING, sayings } from '../../westworld/glossary.ts';
import { trace, type Step, type Trace } from '../../westworld/trace.ts';
import type { globalFlags } from './context.ts';
import { address, guestCode } from './westworld-guest.ts';
import type { westworldTraceFlags } from './westworld.ts';

/** `delos westworld trace`: the document's table of a guest's life. 1 when the guest could not run to its end. */
export async function run({ flags, positional: [file] }: Invocation<typeof westworldTraceFlags, typeof globalFlags>): Promise<number> {
  const traced = traceOf(guestCode(flags.code, file), address(flags.at));
  process.stdout.write(flags.json ? json(traced) : text(traced, flags.park));
  return traced.result === 0 ? 0 : 1;
}

function traceOf(code: Uint8Array, at: bigint): Trace {
  try {
    return trace(code, at);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new DelosError('bad-usage', cause.message, { cause });
  }
}

function text({ steps, output, exits }: Trace, park: boolean): string {
  const header = ['STEP', 'INSTRUCTION', 'RIP', 'RAX', 'ACTION', ...(park ? ['IN THE PARK'] : [])];
  const rows = steps.map((step, at) => [
    String(at + 1), step.instruction, hex(step.rip), hex(step.rax), step.action, ...(park ? [saying(step, at)] : []),
  ]);
  return `${alignColumns([header, ...rows], { minWidth: 6 })}\nOutput: ${JSON.stringify(output)}\nVM exits: ${exits}${byReason(steps)}\n`;
}

function byReason(steps: readonly Step[]): string {
  const counts = new Map<string, number>();
  for (const { exit } of steps) if (exit !== undefined) counts.set(exit, (counts.get(exit) ?? 0) + 1);
  return counts.size === 0 ? '' : ` (${[...counts].map(([name, count]) => `${count} ${name}`).join(', ')})`;
}

function saying({ exit }: Step, at: number): string {
  if (at === 0) return `"${ENTRY_SAYING}"`;
  const said = exit === undefined ? undefined : sayings[exit];
  return said === undefined ? '' : `"${said}"`;
}

function hex(value: bigint | undefined): string {
  return value === undefined ? '-' : `0x${value.toString(16)}`;
}

function json(traced: Trace): string {
  return `${JSON.stringify(traced, (_, value: unknown) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value), 2)}\n`;
}
