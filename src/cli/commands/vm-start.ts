import { readFileSync } from 'node:fs';
import { DelosError } from '../../lib/errors.ts';
import type { MachineStart } from '../../machine/machine.ts';
import type { Values } from '../../vocabulary/flags.ts';
import { address } from './westworld-guest.ts';
import type { vmMachineFlags } from './vm.ts';

/**
 * What the flags have a machine start with: exactly one of --kernel, --firmware and --flat.
 * @throws DelosError `bad-usage` for none or several, and for files that can't be read
 */
export function startOf({ kernel, initrd, append, firmware, flat, at }: Values<typeof vmMachineFlags>): MachineStart {
  const given = [kernel, firmware, flat].filter((one) => one !== undefined);
  if (given.length !== 1) throw new DelosError('bad-usage', 'a machine starts with one of --kernel, --firmware and --flat');
  if (firmware !== undefined) return { kind: 'firmware', image: read(firmware, 'firmware') };
  if (flat !== undefined) return { kind: 'flat', code: read(flat, 'flat'), address: Number(address(at)) };
  return { kind: 'kernel', kernel: read(kernel as string, 'kernel'), commandLine: append, ...(initrd !== undefined && { initrd: read(initrd, 'initrd') }) };
}

function read(file: string, what: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    throw new DelosError('bad-usage', `--${what}: ${file} can't be read: ${(error as Error).message}`, { cause: error });
  }
}
