import { Machine } from '../../machine/machine.ts';
import { PanicWatch } from '../../machine/panic-watch.ts';
import { EscapeWatch } from '../../machine/watch.ts';
import { watchedEngine } from '../../machine/watched.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { warn, type globalFlags } from './context.ts';
import { listenControl } from './vm-control.ts';
import { codeOf } from './vm-end.ts';
import { cpuidOf, engineOf } from './vm-engine.ts';
import { serialOf } from './vm-serial.ts';
import { startOf } from './vm-start.ts';
import type { vmRunFlags } from './vm.ts';

/** `delos vm run`: 0 when the guest has powered itself off, what it said through the debug port, 1 when it came to grief. */
export async function run({ flags }: Invocation<typeof vmRunFlags, typeof globalFlags>): Promise<number> {
  const start = startOf(flags);
  const choice = engineOf(flags.engine);
  if (process.stderr.isTTY) warn(choice.why);
  const abort = new AbortController();
  const panic = new PanicWatch();
  const serial = serialOf(flags.serial);
  using control = await listenControl(flags.control, () => abort.abort());
  for (;;) {
    using machine = new Machine({
      start, memory: flags.memory, engine: flags.watch ? watchedEngine(choice.engine, escapeWatch()) : choice.engine, cpuid: cpuidOf(flags.stealth),
      serial: [(byte) => {
        serial.output(byte);
        panic.take(byte);
      }],
    });
    control.serve(machine);
    const release = serial.connect((bytes) => machine.send(bytes), () => abort.abort());
    const end = await machine.run(abort.signal).finally(release);
    if (end.kind !== 'reset' || flags['no-reboot'] || panic.message !== undefined) return codeOf(end, panic.message);
  }
}

function escapeWatch(): EscapeWatch {
  return new EscapeWatch({ report: ({ what }) => warn(`the guest: ${what}`) });
}
