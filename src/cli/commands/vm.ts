/** `delos vm`: whole machines. */

import { engineNames } from '../../engine/choose.ts';
import { command, type Command, type Flag } from '../../vocabulary/flags.ts';
import type { globalFlags } from './context.ts';

export const vmRunFlags = [
  { name: 'kernel', short: 'k', type: 'string', value: 'file', help: 'A bzImage, or an ELF file with a PVH entry or a multiboot header' },
  { name: 'initrd', short: 'i', type: 'string', value: 'file', help: 'Initial file system, or the first multiboot module' },
  { name: 'append', type: 'string', value: 'words', default: 'console=ttyS0', help: "The kernel's command line" },
  { name: 'firmware', type: 'string', value: 'file', help: 'A BIOS image, at the top of 4 GiB' },
  { name: 'flat', type: 'string', value: 'file', help: 'Code in real mode, put where --at says' },
  { name: 'at', type: 'string', value: 'address', default: '0x7c00', help: 'Where --flat goes and begins' },
  { name: 'memory', short: 'm', type: 'size', default: 256 * 2 ** 20, help: 'Memory of the machine' },
  { name: 'engine', type: 'string', value: engineNames.join('|'), default: 'auto', help: 'What its processor is' },
  { name: 'serial', type: 'string', value: 'stdio|file:PATH|none', default: 'stdio', help: 'Where its first serial port goes' },
  { name: 'no-reboot', type: 'bool', help: 'End when the guest wants to begin anew' },
  { name: 'watch', type: 'bool', help: 'Report what the guest does to find out that it is one, or to get out' },
  { name: 'stealth', type: 'bool', help: 'Do not say in CPUID that there is a hypervisor' },
] as const;

const nothing = { min: 0, max: 0 } as const;

/** Declares a command with the types of its flags, then forgets them. */
function row<const F extends readonly Flag[]>(declared: Command<F, typeof globalFlags>): Command {
  return command(declared) as unknown as Command;
}

export const vmCommands: readonly Command[] = [
  row({
    name: 'vm run', summary: 'Run a machine', usage: 'vm run [OPTIONS]', flags: vmRunFlags, positional: nothing,
    examples: ['delos vm run --kernel vmlinuz --initrd initrd.cpio --append "console=ttyS0"', 'delos vm run --flat hello.bin --engine interpreter'],
    load: () => import('./vm-run.ts'),
  }),
];
