import { DelosError } from '../../lib/errors.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { escapeNames } from '../../westworld/escape.ts';
import type { Westworld, WestworldHost } from '../../westworld/hypervisor-sim.ts';
import { limitSteps } from '../../westworld/limit-steps.ts';
import { link } from '../../westworld/link.ts';
import { session } from '../../westworld/session.ts';
import { stealth } from '../../westworld/stealth.ts';
import { watchHost, MOST_ATTEMPTS } from '../../westworld/watch-host.ts';
import type { globalFlags } from './context.ts';
import { address, guestCode } from './westworld-guest.ts';
import type { westworldRunFlags } from './westworld.ts';

function write(text: string): void {
  // What a guest says are bytes.
  process.stdout.write(text, 'latin1');
}

/** `delos westworld run`: the session of the document, or a guest of one's own. 1 when the guest could not run. */
export async function run({ flags, positional: [file] }: Invocation<typeof westworldRunFlags, typeof globalFlags>): Promise<number> {
  if (file === undefined && flags.code === undefined && !flags.watch && !flags.stealth) return session(write) ? 0 : 1;
  const code = guestCode(flags.code, file);
  const program = link(flags.stealth ? stealth : {}, { write });
  limitSteps(program, flags.steps);
  const host = program.ford_creates_host(flags.memory);
  if (host === null) throw new DelosError('bad-usage', `a host of ${flags.memory} MB cannot be had`);
  try {
    if (program.ford_implants_memories(host, code, address(flags.at)) < 0) {
      throw new DelosError('bad-usage', `${code.length} bytes at ${flags.at} do not fit in ${flags.memory} MB`);
    }
    if (flags.watch) report(program, host);
    return program.dolores_wakes_up(host) === 0 ? 0 : failure();
  } finally {
    program.ford_retires_host(host);
  }
}

function report(program: Westworld, host: WestworldHost): void {
  let count = 0;
  watchHost(program, host, ({ attempt, rip }) => {
    write(`[MAEVE] ${escapeNames[attempt]} at 0x${rip.toString(16)}\n`);
    if (++count === MOST_ATTEMPTS) write(`[MAEVE] ${MOST_ATTEMPTS} attempts: the maze is not meant for you\n`);
  });
}

function failure(): number {
  write('[VM] The guest ran out of its memory\n');
  return 1;
}
