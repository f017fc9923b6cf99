/** Who runs the bench's guest, and how each is asked to. */
import fs from 'node:fs';
import path from 'node:path';
import type { EngineName } from '../../src/engine/choose.ts';
import { interpreterReserved } from '../../src/engine/interpreter.ts';
import { root } from '../../tools/files.ts';
import { find, versionOf } from '../containers/runtimes.ts';
import { delosCommand } from '../network/engines.ts';
import type { Disk } from './disk.ts';
import type { Bits, GuestImages } from './guest.ts';
import type { Holder } from './memory.ts';
import type { Command } from './spawned.ts';

export const guestMemory = 64 * 2 ** 20;

/** Something that runs the guest. */
export interface Emulator {
  readonly name: string;
  /** Empty for ourselves. */
  readonly version: string;
  readonly bits: readonly Bits[];
  /** How often it runs each workload between two looks at the clock: so often that each is at least some 100 ms. */
  readonly scale: number;
  command(images: GuestImages, bits: Bits, rounds: number): Command;
}

/** One that is not there, and what would bring it. */
export interface Absent {
  readonly name: string;
  readonly why: string;
}

export const delos = 'Delos';
/** Without regions. */
export const interpreterAlone = 'interpreter';

const ours: readonly Emulator[] = [
  {
    name: delos, version: '', bits: [64, 32], scale: 3,
    command: (images, bits, rounds) => ({ argv: delosGuest('interpreter', images.multiboot(bits, 3, rounds)) }),
  },
  {
    name: interpreterAlone, version: '', bits: [64, 32], scale: 1,
    command: (images, bits, rounds) => ({ argv: [process.execPath, path.join(import.meta.dirname, 'interpreter.ts'), images.multiboot(bits, 1, rounds)] }),
  },
];

function delosGuest(engine: EngineName, kernel: string): string[] {
  return [...delosCommand, 'vm', 'run', '--engine', engine, '--memory', `${guestMemory}`, '--kernel', kernel];
}

/** The program's name is QEMU's own, the machine and the processor its own choice. */
export const qemuProgram = 'qemu-system-x86_64';
const qemuScale = 10;

function qemu(): Emulator | Absent {
  const program = find(qemuProgram);
  if (program === undefined) return { name: 'QEMU', why: 'qemu-system-x86 is not installed' };
  return {
    name: 'QEMU TCG', version: /version (\S+)/.exec(versionOf(program))?.[1] ?? '', bits: [64, 32], scale: qemuScale,
    command: (images, bits, rounds) => ({ argv: qemuGuest(program, 'tcg', images.multiboot(bits, qemuScale, rounds)) }),
  };
}

function qemuGuest(program: string, accelerator: string, kernel: string): string[] {
  const machine = ['-accel', accelerator, '-m', `${guestMemory / 2 ** 20}`];
  return [program, ...machine, '-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio', '-kernel', kernel];
}

/** What a guest in Bochs says comes by port E9h; its display is a VNC server in a network namespace of its own. */
export function bochsCommand(program: string, disk: Disk, memoryMb: number): Command {
  const [configuration, orders] = [`${disk.file}.bochsrc`, `${disk.file}.orders`];
  // One that was killed has left it.
  fs.rmSync(`${disk.file}.lock`, { force: true });
  fs.writeFileSync(configuration, [
    `megs: ${memoryMb}`, 'romimage: file=/usr/share/bochs/BIOS-bochs-latest', 'vgaromimage: file=/usr/share/vgabios/vgabios.bin',
    `ata0-master: type=disk, path=${disk.file}, mode=flat, cylinders=${disk.cylinders}, heads=16, spt=63`, 'boot: disk',
    'display_library: rfb, options="timeout=0"', 'sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy', 'clock: sync=none',
    'port_e9_hack: enabled=1', `log: ${disk.file}.log`, '',
  ].join('\n'));
  // Debian's is made for debugging and waits to be told to go on.
  fs.writeFileSync(orders, 'continue\n');
  return { argv: ['unshare', '-n', program, '-q', '-f', configuration, '-rc', orders] };
}

export function findBochs(): string | Absent {
  const program = find('bochs');
  const display = fs.globSync('/usr/lib/*/bochs/plugins/libbx_rfb_gui.so').length > 0;
  if (program === undefined || !display || !fs.existsSync('/usr/share/vgabios/vgabios.bin')) return { name: 'Bochs', why: 'bochs, bochsbios and vgabios are not all installed' };
  return program;
}

function bochs(): Emulator | Absent {
  const program = findBochs();
  if (typeof program !== 'string') return program;
  return {
    name: 'Bochs', version: `${packageVersion('bochs')}, built for debugging`, bits: [64], scale: 1,
    command: (images, bits, rounds) => bochsCommand(program, images.disk(bits, 1, rounds), guestMemory / 2 ** 20),
  };
}

function packageVersion(name: string): string {
  const status = fs.readFileSync('/var/lib/dpkg/status', 'utf8');
  const about = status.slice(status.indexOf(`\nPackage: ${name}\n`));
  return /^Version: ([^-+]+)/m.exec(about)?.[1] ?? '';
}

/** v86 has no 64-bit mode. */
function v86(compiles: boolean, scale: number): Emulator | Absent {
  const folder = path.join(root, 'node_modules/v86');
  const name = compiles ? 'v86, JIT' : 'v86, no JIT';
  if (!fs.existsSync(folder)) return { name, why: 'its npm package is not installed (./dev setup)' };
  const { version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string };
  const program = path.join(import.meta.dirname, 'v86.ts');
  return {
    name, version, bits: [32], scale,
    command: (images, bits, rounds) => ({ argv: [process.execPath, program, images.multiboot(bits, scale, rounds), compiles ? 'jit' : 'interpreter'] }),
  };
}

/** Those whose memory is looked at: they run the guest without any workload. */
export function holders(withKvm: boolean): Holder[] {
  const idle = (images: GuestImages): string => images.multiboot(64, 0, 0);
  const engines = withKvm ? (['interpreter', 'kvm'] as const) : (['interpreter'] as const);
  const program = find(qemuProgram);
  const accelerators = withKvm ? ['tcg', 'kvm'] : ['tcg'];
  return [
    ...engines.map((engine) => ({
      name: `Delos, ${engine}`, mapping: guestMemory + (engine === 'interpreter' ? interpreterReserved : 0), command: (images: GuestImages) => ({ argv: delosGuest(engine, idle(images)) }),
    })),
    ...(program === undefined ? [] : accelerators.map((accelerator) => ({
      name: `QEMU, ${accelerator}`, mapping: guestMemory, command: (images: GuestImages) => ({ argv: qemuGuest(program, accelerator, idle(images)) }),
    }))),
  ];
}

/** Ourselves first. */
export function emulators(): readonly (Emulator | Absent)[] {
  return [...ours, qemu(), bochs(), v86(true, 3), v86(false, 1)];
}
