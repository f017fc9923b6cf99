import { openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { softwareCpuid } from '../../cpu/cpuid.ts';
import { APIC_TIMER_HERTZ } from '../../device/apic-timer.ts';
import { chooseEngine, engineNames, type Choice, type EngineName } from '../../engine/choose.ts';
import { createInterpreter } from '../../engine/interpreter.ts';
import { kvm } from '../../engine/kvm.ts';
import { probeKvm } from '../../engine/probe.ts';
import { DelosError } from '../../lib/errors.ts';
import { Machine, type MachineEnd, type MachineStart } from '../../machine/machine.ts';
import { PanicWatch } from '../../machine/panic-watch.ts';
import { stealthyCpuid } from '../../machine/stealth.ts';
import { EscapeWatch } from '../../machine/watch.ts';
import { watchedEngine } from '../../machine/watched.ts';
import { buildFolder } from '../../sys/build-folder.ts';
import type { Invocation, Values } from '../../vocabulary/flags.ts';
import { warn, type globalFlags } from './context.ts';
import { address } from './westworld-guest.ts';
import type { vmRunFlags } from './vm.ts';

type Flags = Values<typeof vmRunFlags>;

/** What a person types to end a machine, as in QEMU: Ctrl-A, then x. */
const escapeKey = 1;
const quitKey = 'x'.charCodeAt(0);

/** `delos vm run`: 0 when the guest has powered itself off, what it said through the debug port, 1 when it came to grief. */
export async function run({ flags }: Invocation<typeof vmRunFlags, typeof globalFlags>): Promise<number> {
  const start = startOf(flags);
  const choice = engineOf(flags);
  if (process.stderr.isTTY) warn(choice.why);
  const abort = new AbortController();
  const panic = new PanicWatch();
  const output = serialOf(flags.serial);
  for (;;) {
    using machine = new Machine({
      start, memory: flags.memory, engine: flags.watch ? watchedEngine(choice.engine, escapeWatch()) : choice.engine, cpuid: cpuidOf(flags.stealth),
      serial: [(byte) => {
        output(byte);
        panic.take(byte);
      }],
    });
    const release = flags.serial === 'stdio' ? typeInto(machine, abort) : () => undefined;
    const end = await machine.run(abort.signal).finally(release);
    if (end.kind !== 'reset' || flags['no-reboot'] || panic.message !== undefined) return codeOf(end, panic.message);
  }
}

function read(file: string, what: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    throw new DelosError('bad-usage', `--${what}: ${file} can't be read: ${(error as Error).message}`, { cause: error });
  }
}

function startOf({ kernel, initrd, append, firmware, flat, at }: Flags): MachineStart {
  const given = [kernel, firmware, flat].filter((one) => one !== undefined);
  if (given.length !== 1) throw new DelosError('bad-usage', 'a machine starts with one of --kernel, --firmware and --flat');
  if (firmware !== undefined) return { kind: 'firmware', image: read(firmware, 'firmware') };
  if (flat !== undefined) return { kind: 'flat', code: read(flat, 'flat'), address: Number(address(at)) };
  return { kind: 'kernel', kernel: read(kernel as string, 'kernel'), commandLine: append, ...(initrd !== undefined && { initrd: read(initrd, 'initrd') }) };
}

function engineOf({ engine }: Flags): Choice {
  if (!(engineNames as readonly string[]).includes(engine)) throw new DelosError('bad-usage', `--engine: there is no engine ${engine}, only ${engineNames.join(', ')}`);
  const interpreter = createInterpreter(new Uint8Array(readFileSync(path.join(buildFolder(), 'float.wasm'))));
  return chooseEngine(engine as EngineName, { kvm, interpreter }, probeKvm);
}

function cpuidOf(stealth: boolean): ReturnType<typeof softwareCpuid> {
  const cpuid = softwareCpuid({ cpus: 1, apicId: 0, timestampHz: 1e9, timerHz: APIC_TIMER_HERTZ, hypervisor: !stealth });
  return stealth ? stealthyCpuid(cpuid) : cpuid;
}

function escapeWatch(): EscapeWatch {
  return new EscapeWatch({ report: (attempt) => warn(`the guest: ${attempt}`) });
}

function openFor(file: string): number {
  try {
    return openSync(file, 'w');
  } catch (error) {
    throw new DelosError('bad-usage', `--serial: ${file} can't be written: ${(error as Error).message}`, { cause: error });
  }
}

/** Takes the guest's bytes; in the order in which they come, and at once. */
function serialOf(where: string): (byte: number) => void {
  if (where === 'none') return () => undefined;
  if (where.startsWith('file:')) {
    const file = openFor(where.slice('file:'.length));
    return (byte) => void writeSync(file, Uint8Array.of(byte));
  }
  if (where !== 'stdio') throw new DelosError('bad-usage', `--serial: ${where} is neither stdio nor file:PATH nor none`);
  return (byte) => void process.stdout.write(Uint8Array.of(byte));
}

/** What is typed goes to the guest. @returns what gives the terminal back */
function typeInto(machine: Machine, abort: AbortController): () => void {
  const { stdin } = process;
  let escaped = false;
  const typed = (bytes: Uint8Array): void => {
    for (const byte of stdin.isTTY ? bytes : []) {
      if (escaped && byte === quitKey) abort.abort();
      escaped = byte === escapeKey;
    }
    machine.send(bytes);
  };
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    warn('Ctrl-A x ends the machine\r');
  }
  stdin.on('data', typed);
  return () => {
    stdin.off('data', typed);
    stdin.pause();
    if (stdin.isTTY) stdin.setRawMode(false);
  };
}

function codeOf(end: MachineEnd, panic: string | undefined): number {
  if (panic !== undefined) {
    warn(`the guest's kernel has panicked: ${panic}`);
    return 1;
  }
  switch (end.kind) {
    case 'power-off':
    case 'stopped':
    case 'reset':
      return 0;
    case 'debug-exit':
      return end.status;
    case 'halt':
      warn('the guest has halted for good: interrupts are off');
      return 0;
    case 'shutdown':
      warn('the guest has shut down: a triple fault');
      return 1;
    case 'error':
      warn(`the machine can't go on: ${end.message}`);
      return 1;
    default:
      return end satisfies never;
  }
}
