import type { Engine } from '../../engine/engine.ts';
import { Machine } from '../../machine/machine.ts';
import { PanicWatch } from '../../machine/panic-watch.ts';
import { EscapeWatch } from '../../machine/watch.ts';
import { watchedEngine } from '../../machine/watched.ts';
import type { Invocation, Values } from '../../vocabulary/flags.ts';
import { warn, type globalFlags } from './context.ts';
import { listenControl } from './vm-control.ts';
import { codeOf } from './vm-end.ts';
import { cpuidOf, engineOf } from './vm-engine.ts';
import { serialOf } from './vm-serial.ts';
import { startOf } from './vm-start.ts';
import { TraceFile, tracedBy } from './vm-trace-file.ts';
import type { vmMachineFlags, vmRunFlags } from './vm.ts';

/** `delos vm run`: 0 when the guest has powered itself off, what it said through the debug port, 1 when it came to grief. */
export async function run({ flags }: Invocation<typeof vmRunFlags, typeof globalFlags>): Promise<number> {
  using file = new TraceFile(flags['trace-file']);
  return await runMachine(flags, { wrap: (engine) => tracedBy(engine, flags.trace, file) });
}

/** What other commands than `vm run` have otherwise. */
export interface RunHooks {
  /** The engine as it is to be used. */
  wrap(engine: Engine): Engine;
  /** In the place of stdout. */
  readonly output?: NodeJS.WritableStream;
  /** SIGINT ends the machine: the terminal is left as it is, and what is typed comes by lines. */
  readonly isInterruptible?: boolean;
}

/** Runs the machine of these flags until it ends, again when it resets itself. @returns the exit code */
export async function runMachine(flags: Values<typeof vmMachineFlags>, { wrap, output = process.stdout, isInterruptible = false }: RunHooks): Promise<number> {
  const start = startOf(flags);
  const choice = engineOf(flags.engine, flags.irqchip);
  if (process.stderr.isTTY) warn(choice.why);
  const traced = wrap(choice.engine);
  const abort = new AbortController();
  const quit = (): void => abort.abort();
  const panic = new PanicWatch();
  using serial = serialOf(flags.serial, { output, isRaw: !isInterruptible });
  using control = await listenControl(flags.control, quit);
  if (isInterruptible) process.once('SIGINT', quit);
  for (;;) {
    using machine = new Machine({
      start, memory: flags.memory, engine: flags.watch ? watchedEngine(traced, escapeWatch()) : traced, cpuid: cpuidOf(flags.stealth),
      serial: [(byte) => {
        serial.output(byte);
        panic.take(byte);
      }],
    });
    control.serve(machine);
    const release = serial.connect((bytes) => machine.send(bytes), quit);
    const end = await machine.run(abort.signal).finally(release);
    if (end.kind !== 'reset' || flags['no-reboot'] || panic.message !== undefined) return codeOf(end, panic.message);
  }
}

function escapeWatch(): EscapeWatch {
  return new EscapeWatch({ report: ({ what }) => warn(`the guest: ${what}`) });
}
