/** `delos vm`: whole machines. */

import { engineNames } from '../../engine/choose.ts';
import { command, type Command, type Flag } from '../../vocabulary/flags.ts';
import type { globalFlags } from './context.ts';

/** What a machine is. */
export const vmMachineFlags = [
  { name: 'kernel', short: 'k', type: 'string', value: 'file', help: 'A bzImage, or an ELF file with a PVH entry or a multiboot header' },
  { name: 'initrd', short: 'i', type: 'string', value: 'file', help: 'Initial file system, or the first multiboot module' },
  { name: 'module', type: 'list', value: 'file[ words]', help: 'A further module of multiboot or PVH, with its command line' },
  { name: 'append', type: 'string', value: 'words', default: 'console=ttyS0', help: "The kernel's command line" },
  { name: 'firmware', type: 'string', value: 'file', help: 'A BIOS image, at the top of 4 GiB' },
  { name: 'flat', type: 'string', value: 'file', help: 'Code in real mode, put where --at says' },
  { name: 'at', type: 'string', value: 'address', default: '0x7c00', help: 'Where --flat goes and begins' },
  { name: 'memory', short: 'm', type: 'size', default: 256 * 2 ** 20, help: 'Memory of the machine' },
  { name: 'engine', type: 'string', value: engineNames.join('|'), default: 'auto', help: 'What its processor is' },
  { name: 'irqchip', type: 'string', value: 'own|kernel', default: 'own', help: "Whose its interrupt controllers and 8254 are on KVM: the kernel's answer faster" },
  { name: 'serial', type: 'string', value: 'stdio|pty|file:PATH|none', default: 'stdio', help: 'Where its first serial port goes' },
  { name: 'no-reboot', type: 'bool', help: 'End when the guest wants to begin anew' },
  { name: 'watch', type: 'bool', help: 'Report what the guest does to find out that it is one, or to get out' },
  { name: 'stealth', type: 'bool', help: 'Do not say in CPUID that there is a hypervisor' },
  { name: 'control', type: 'string', value: 'socket', help: 'Listen there for vm snapshot and other requests' },
] as const;

export const vmRunFlags = [
  ...vmMachineFlags,
  { name: 'trace', type: 'list', value: 'exits|instructions|interrupts', help: 'Tell each of them' },
  { name: 'trace-file', type: 'string', value: 'file', help: 'Tell them there, not on stderr' },
] as const;

export const vmTraceFlags = [...vmMachineFlags, { name: 'json', type: 'bool', help: "As JSON; the guest's output goes to stderr" }] as const;

export const vmSnapshotFlags = [{ name: 'stop', type: 'bool', help: 'End the machine when it is written' }] as const;

export const vmRestoreFlags = [
  { name: 'engine', type: 'string', value: engineNames.join('|'), default: 'auto', help: 'What its processor is; it may be another than before' },
  { name: 'serial', type: 'string', value: 'stdio|pty|file:PATH|none', default: 'stdio', help: 'Where its first serial port goes' },
  { name: 'control', type: 'string', value: 'socket', help: 'Listen there for vm snapshot and other requests' },
  { name: 'check-first', type: 'bool', help: 'Check all of its memory before it runs, not while it does' },
] as const;

export const vmDisassembleFlags = [
  { name: 'at', type: 'string', value: 'address', help: 'Where the first byte is meant to be; 0, or what an ELF file says' },
  { name: 'bits', type: 'int', value: '16|32|64', help: "Size of the code: the ELF file's, or 64" },
  { name: 'offset', type: 'string', value: 'bytes', help: 'Begin so far into the file' },
  { name: 'length', type: 'string', value: 'bytes', help: 'So many bytes and no more' },
  { name: 'symbol', type: 'string', value: 'name', help: 'Only this function of an ELF file' },
  { name: 'json', type: 'bool', help: 'A line of JSON for each instruction' },
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
  row({
    name: 'vm snapshot', summary: 'Write a running machine to a file', usage: 'vm snapshot [--stop] SOCKET FILE', flags: vmSnapshotFlags, positional: { min: 2, max: 2 },
    examples: ['delos vm run --kernel vmlinuz --control /run/vm.sock', 'delos vm snapshot --stop /run/vm.sock shell.snapshot'],
    load: () => import('./vm-snapshot.ts'),
  }),
  row({
    name: 'vm restore', summary: 'Go on with a machine from its file', usage: 'vm restore [OPTIONS] FILE', flags: vmRestoreFlags, positional: { min: 1, max: 1 },
    examples: ['delos vm restore shell.snapshot', 'delos vm restore --engine interpreter --check-first shell.snapshot'],
    load: () => import('./vm-restore.ts'),
  }),
  row({
    name: 'vm trace', summary: 'Run a machine and count its exits', usage: 'vm trace [OPTIONS]', flags: vmTraceFlags, positional: nothing,
    examples: ['delos vm trace --flat hello.bin', 'delos vm trace --kernel vmlinuz --initrd initrd.cpio --json > exits.json'],
    load: () => import('./vm-trace.ts'),
  }),
  row({
    name: 'vm disassemble', summary: 'Show machine code as assembly', usage: 'vm disassemble [OPTIONS] FILE|-', flags: vmDisassembleFlags, positional: { min: 1, max: 1 },
    examples: ['delos vm disassemble --bits 16 --at 0x7c00 hello.bin', 'delos vm disassemble --symbol main /usr/bin/prog'],
    load: () => import('./vm-disassemble.ts'),
  }),
];
