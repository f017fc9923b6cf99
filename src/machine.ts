/** `import { Machine } from 'delos/machine'`: a computer in a Node process, on KVM or in software. docs/guide/library.md */
import fs from 'node:fs';
import path from 'node:path';
import { chooseEngine, engineNames, type Choice, type EngineName } from './engine/choose.ts';
import { createInterpreter } from './engine/interpreter.ts';
import { kvm } from './engine/kvm.ts';
import { probeKvm } from './engine/probe.ts';
import { DelosError } from './lib/errors.ts';
import type { CommonOptions } from './library/machine/options.ts';
import { VirtualMachine } from './library/machine/virtual-machine.ts';
import { writeSnapshot } from './snapshot/file.ts';
import { buildFolder } from './sys/build-folder.ts';

export * from './library/machine/exports.ts';
export { SnapshotFile } from './snapshot/file.ts';

export type MachineOptions = CommonOptions & {
  /** `auto`, when it isn't given: KVM where it runs a guest's kernel on the processor itself, else software. */
  readonly engine?: EngineName;
};

/** A computer on the host's processor, or on one in software. */
export class Machine extends VirtualMachine {
  /** @throws DelosError `bad-kernel`, `bad-machine` or `bad-snapshot` for what can't be started, `unsupported` for an engine that can't run here */
  constructor(options: MachineOptions) {
    const { engine, why } = choose(options.engine ?? 'auto');
    super(options, engine, why);
  }

  /**
   * Writes a {@link VirtualMachine.snapshot} to a file, which is there only when it is whole, and takes no room for memory that is all zeros.
   * `new SnapshotFile(file)` is what a machine can be made of: its memory is mapped, and read when the guest wants it.
   * @throws DelosError `io` when it can't be written
   */
  writeSnapshot(file: string): void {
    writeSnapshot(this.core, file);
  }
}

function choose(wanted: EngineName): Choice {
  if (!engineNames.includes(wanted)) throw new DelosError('bad-machine', `there is no engine ${String(wanted)}, only ${engineNames.join(', ')}`);
  const interpreter = createInterpreter(new Uint8Array(fs.readFileSync(path.join(buildFolder(), 'float.wasm'))));
  return chooseEngine(wanted, { kvm, interpreter }, probeKvm);
}
