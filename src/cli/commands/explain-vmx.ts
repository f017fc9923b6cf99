import { DelosError } from '../../lib/errors.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { alignColumns } from '../../vocabulary/table.ts';
import { vmxLife } from '../../westworld/vmx/life.ts';
import type { globalFlags } from './context.ts';
import { guestCode } from './westworld-guest.ts';
import type { explainVmxFlags } from './westworld.ts';

/** `delos explain vmx`: a guest's life in the instructions of VT-x, on a modelled processor. */
export async function run({ flags, positional: [file] }: Invocation<typeof explainVmxFlags, typeof globalFlags>): Promise<number> {
  const { steps, output, end } = livedBy(guestCode(flags.code, file));
  const rows = steps.map(({ mode, instruction, outcome }) => [instruction, outcome, mode]);
  process.stdout.write(`${alignColumns([['THE HYPERVISOR', 'COMES BACK WITH', 'IN MODE'], ...rows])}\nOutput: ${JSON.stringify(output)}\nEnd: ${end}\n`);
  return end === 'halt' ? 0 : 1;
}

function livedBy(code: Uint8Array): ReturnType<typeof vmxLife> {
  try {
    return vmxLife(code);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new DelosError('bad-usage', cause.message, { cause });
  }
}
