import { featuresOf } from '../../cpu/cpuid.ts';
import { cpuidOfTable } from '../../machine/cpuid-table.ts';
import { PanicWatch } from '../../machine/panic-watch.ts';
import type { Machine, MachineEnd } from '../../machine/machine.ts';
import { SnapshotFile } from '../../snapshot/file.ts';
import { restore } from '../../snapshot/snapshot.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { warn, type globalFlags } from './context.ts';
import { listenControl } from './vm-control.ts';
import { codeOf } from './vm-end.ts';
import { engineOf } from './vm-engine.ts';
import { serialOf } from './vm-serial.ts';
import type { vmRestoreFlags } from './vm.ts';

/** `delos vm restore FILE`: the machine goes on; the exit code is that of `vm run`, and a reset is an end. */
export async function run({ flags, positional }: Invocation<typeof vmRestoreFlags, typeof globalFlags>): Promise<number> {
  using file = new SnapshotFile(positional[0] ?? '');
  const choice = engineOf(flags.engine);
  if (process.stderr.isTTY) warn(choice.why);
  const abort = new AbortController();
  const panic = new PanicWatch();
  if (flags['check-first']) await file.check();
  using control = await listenControl(flags.control, () => abort.abort());
  using serial = serialOf(flags.serial);
  using machine = restore(file, {
    engine: choice.engine,
    serial: [(byte) => {
      serial.output(byte);
      panic.take(byte);
    }],
  });
  tellLost(file, machine);
  control.serve(machine);
  const release = serial.connect((bytes) => machine.send(bytes), () => abort.abort());
  const end = await runChecked(machine, flags['check-first'] ? undefined : file, abort).finally(release);
  if (end.kind === 'reset') warn('the guest wants to begin anew: what it began with is not in a snapshot');
  return codeOf(end, panic.message);
}

/** What the guest was told that its processor can, and this one can't. */
function tellLost({ state }: SnapshotFile, machine: Machine): void {
  const present = new Set(featuresOf(machine.cpuid));
  const lost = featuresOf(cpuidOfTable(state.cpuid)).filter((name) => !present.has(name));
  if (lost.length > 0) warn(`${machine.engine} does not offer what the guest may count on here: ${lost.join(', ')}`);
}

/** Runs a machine while its file is checked; damage that is found ends it. */
async function runChecked(machine: Machine, file: SnapshotFile | undefined, abort: AbortController): Promise<MachineEnd> {
  const checked = file?.check(abort.signal).catch((error: unknown) => {
    abort.abort();
    return error;
  });
  const end = await machine.run(abort.signal);
  abort.abort();
  const damage = await checked;
  if (damage !== undefined) throw damage;
  return end;
}
