import { readFileSync } from 'node:fs';
import type { BootModule } from '../../boot/boot.ts';
import { DelosError } from '../../lib/errors.ts';
import type { MachineStart } from '../../machine/machine.ts';
import type { Values } from '../../vocabulary/flags.ts';
import { address } from './westworld-guest.ts';
import type { vmMachineFlags } from './vm.ts';

/**
 * What the flags have a machine start with: exactly one of --kernel, --firmware and --flat, and further files with the first alone.
 * @throws DelosError `bad-usage` for none or several, and for files that can't be read
 */
export function startOf({ kernel, initrd, module, append, firmware, flat, at }: Values<typeof vmMachineFlags>): MachineStart {
  const given = [kernel, firmware, flat].filter((one) => one !== undefined);
  if (given.length !== 1) throw new DelosError('bad-usage', 'a machine starts with one of --kernel, --firmware and --flat');
  if (kernel === undefined && (initrd !== undefined || module.length > 0)) throw new DelosError('bad-usage', '--initrd and --module go with --kernel');
  if (firmware !== undefined) return { kind: 'firmware', image: read(firmware, 'firmware') };
  if (flat !== undefined) return { kind: 'flat', code: read(flat, 'flat'), address: Number(address(at)) };
  return {
    kind: 'kernel', kernel: read(kernel as string, 'kernel'), commandLine: append, modules: module.map(moduleOf), ...(initrd !== undefined && { initrd: read(initrd, 'initrd') }),
  };
}

/** A file, and behind the first space what it is told. */
function moduleOf(text: string): BootModule {
  const [file = '', ...words] = text.split(' ');
  return { bytes: read(file, 'module'), commandLine: words.join(' ') };
}

function read(file: string, what: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    throw new DelosError('bad-usage', `--${what}: ${file} can't be read: ${(error as Error).message}`, { cause: error });
  }
}
